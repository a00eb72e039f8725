import type { Context } from '../../arm/resource-type.ts'
import { networkRulesOf } from './network-rules.ts'
import type { Policies } from './policies.ts'
import { presentConnection } from './private-endpoint-connection.ts'
import { dataEndpointOf, loginServerOf, regionsOf } from './registry-hosts.ts'
import { CONNECTION, REPLICATION, type Registry } from './registry-properties.ts'
import { isPremium } from './sku.ts'

/** When members appeared, and which stable versions lack them: the service's API documents and recorded answers. */
const SINCE = {
  policies: '2019-05-01',
  dataEndpoints: '2019-12-01',
  bypass: '2020-11-01',
  exportPolicy: '2021-06-01',
  previewPolicies: '2022-02-01',
  metadataSearch: '2023-11-01',
} as const

/** From here on subnets are no longer part of the rules. */
const WITHOUT_SUBNET_RULES = '2021-09-01'

/** Members that are in previews only were not in any stable version up to here. */
const LAST_WITHOUT_PREVIEWS = '2023-07-01'

/** The properties of a registry as a client of this version knows them, in the service's order. */
export async function presentRegistry(
  registry: Registry,
  context: Context,
  apiVersion: string,
): Promise<Record<string, unknown>> {
  const { properties } = registry
  const domain = context.settings.registryDomain
  const date = apiVersion.slice(0, 10)
  const has = (member: keyof typeof SINCE) => date >= SINCE[member]
  const hasPreviews = apiVersion.endsWith('-preview') || date > LAST_WITHOUT_PREVIEWS
  const showsSubnetRules = date < WITHOUT_SUBNET_RULES
  const { defaultAction, virtualNetworkRules, ipRules } = networkRulesOf(properties)

  return {
    loginServer: loginServerOf(registry.name, domain),
    creationDate: properties.creationDate,
    provisioningState: 'Succeeded',
    adminUserEnabled: properties.adminUserEnabled,
    ...(isPremium(registry) && {
      networkRuleSet: {
        defaultAction,
        ...(showsSubnetRules && { virtualNetworkRules }),
        ipRules,
      },
    }),
    ...(has('policies') && {
      policies: presentPolicies(properties.policies, {
        hasExport: has('exportPolicy'),
        hasPreviews: hasPreviews && has('previewPolicies'),
      }),
    }),
    ...(has('dataEndpoints') && {
      encryption: properties.encryption,
      dataEndpointEnabled: properties.dataEndpointEnabled,
      dataEndpointHostNames: properties.dataEndpointEnabled
        ? regionsOf(registry, await context.children(registry.id, REPLICATION)).map((region) =>
            dataEndpointOf(registry.name, region, domain),
          )
        : [],
      privateEndpointConnections: await presentConnections(registry, context),
      publicNetworkAccess: properties.publicNetworkAccess,
    }),
    ...(has('bypass') && {
      networkRuleBypassOptions: properties.networkRuleBypassOptions,
      zoneRedundancy: properties.zoneRedundancy,
      ...(hasPreviews && { anonymousPullEnabled: properties.anonymousPullEnabled }),
    }),
    ...(hasPreviews && has('metadataSearch') && { metadataSearch: properties.metadataSearch }),
  }
}

function presentPolicies(
  policies: Policies,
  { hasExport, hasPreviews }: { hasExport: boolean; hasPreviews: boolean },
): Partial<Policies> {
  const { exportPolicy, azureADAuthenticationAsArmPolicy, softDeletePolicy, ...always } = policies
  return {
    ...always,
    ...(hasExport && { exportPolicy }),
    ...(hasPreviews && { azureADAuthenticationAsArmPolicy, softDeletePolicy }),
  }
}

async function presentConnections(registry: Registry, context: Context) {
  const connections = await context.children<Parameters<typeof presentConnection>[0]>(
    registry.id,
    CONNECTION,
  )
  return connections.map(({ type, id, name, properties }) => ({
    type,
    id,
    name,
    properties: presentConnection(properties),
  }))
}
