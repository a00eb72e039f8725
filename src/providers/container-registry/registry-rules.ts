import { ArmError, invalidProperty } from '../../arm/arm-error.ts'
import type { Context } from '../../arm/resource-type.ts'
import { isOpen, networkRulesOf, requireValidRules } from './network-rules.ts'
import {
  alreadyInUse,
  classicSkuDeprecated,
  invalidName,
  notSupportedForSku,
  publicAccessNotDisabled,
} from './registry-errors.ts'
import { loginServerOf } from './registry-hosts.ts'
import { CONNECTION, REGISTRY, REPLICATION, type Registry } from './registry-properties.ts'
import { findSku, type SkuName, skuOf } from './sku.ts'

const NAME = /^[a-zA-Z0-9]{5,50}$/

export const isRegistryName = (name: string): boolean => NAME.test(name)

/** The registry that has this name, whoever's it is: login servers are unique in the world. */
export async function findByName(name: string, context: Context): Promise<Registry | undefined> {
  const registries = await context.all<Registry['properties']>(REGISTRY)
  return registries.find((other) => other.name.toLowerCase() === name.toLowerCase())
}

/** Every rule of a registry that the schema cannot say. @throws ArmError */
export async function validateRegistry(
  next: Registry,
  previous: Registry | undefined,
  context: Context,
): Promise<void> {
  if (!isRegistryName(next.name)) throw invalidName()
  const sku = findSku(next)
  if (!sku) throw classicSkuDeprecated()
  if (!previous) await requireFreeName(next, context)
  requireTierFor(next, sku)
  requireConsistentPolicies(next)
  requireValidRules(networkRulesOf(next.properties))
  if (previous && skuOf(previous) === 'Premium' && sku !== 'Premium') {
    await requireNothingPremiumLeft(next, sku, context)
  }
}

async function requireFreeName({ id, name }: Registry, context: Context): Promise<void> {
  const other = await findByName(name, context)
  if (!other || other.id.toLowerCase() === id.toLowerCase()) return
  throw alreadyInUse(loginServerOf(name, context.settings.registryDomain))
}

function requireTierFor({ properties }: Registry, sku: SkuName): void {
  if (properties.encryption.status === 'enabled') {
    throw invalidProperty(
      'properties.encryption.status',
      'customer-managed keys are not available here; blobs are encrypted, where they are, by the disk they lie on.',
    )
  }
  if (sku === 'Basic' && properties.anonymousPullEnabled) {
    throw notSupportedForSku('AnonymousPullNotSupported', 'Anonymous pull', sku, 'anonymous-pull')
  }
  if (sku === 'Premium') return
  const { policies } = properties
  if (properties.publicNetworkAccess === 'Disabled') throw publicAccessNotDisabled(sku)
  if (!isOpen(networkRulesOf(properties))) {
    throw notSupportedForSku('NetworkRuleSetNotSupported', 'Network rule set', sku, 'firewall')
  }
  if (properties.dataEndpointEnabled) {
    throw notSupportedForSku('DataEndpointNotSupported', 'Data endpoint', sku, 'data-endpoints')
  }
  if (properties.zoneRedundancy === 'Enabled') {
    throw notSupportedForSku(
      'ZoneRedundancyNotSupported',
      'Zone redundancy',
      sku,
      'zone-redundancy',
    )
  }
  for (const [policy, feature, page] of [
    ['quarantinePolicy', 'Quarantine policy', 'skus'],
    ['trustPolicy', 'Content trust policy', 'content-trust'],
    ['retentionPolicy', 'Retention policy', 'retention'],
  ] as const) {
    if (policies[policy].status === 'disabled') continue
    throw notSupportedForSku('PolicyNotSupported', feature, sku, page)
  }
  if (policies.exportPolicy.status === 'disabled') {
    throw notSupportedForSku('PolicyNotSupported', 'Disabling exports', sku, 'export-policy')
  }
}

function requireConsistentPolicies({ name, properties }: Registry): void {
  if (properties.policies.exportPolicy.status === 'enabled') return
  if (properties.publicNetworkAccess === 'Disabled') return
  // Known of a registry whose public access is turned on again; for one whose exports are turned off it is not verified.
  throw new ArmError(400, {
    code: 'BadRequest',
    message: `Enabling public network access is not supported because the registry '${name}' has exports disabled.`,
  })
}

async function requireNothingPremiumLeft(
  { id }: Registry,
  sku: SkuName,
  context: Context,
): Promise<void> {
  const [replications, connections] = [
    await context.children(id, REPLICATION),
    await context.children(id, CONNECTION),
  ]
  if (replications.length > 0) {
    throw notSupportedForSku('ReplicationNotSupported', 'Geo-replication', sku, 'geo-replication')
  }
  if (connections.length > 0) {
    throw notSupportedForSku('PrivateLinkNotSupported', 'Private link', sku, 'private-link')
  }
}
