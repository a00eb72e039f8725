import { ArmError, invalidProperty } from '../../arm/arm-error.ts'
import type { Context } from '../../arm/resource-type.ts'
import { isObject } from '../../arm/shape.ts'
import { isOpen, networkRulesOf, requireValidRules } from './network-rules.ts'
import {
  alreadyInUse,
  classicSkuDeprecated,
  invalidName,
  notSupportedForSku,
  publicAccessNotDisabled,
  quotaExceeded,
} from './registry-errors.ts'
import { loginServerOf } from './registry-hosts.ts'
import {
  CONNECTION,
  REGISTRY,
  REPLICATION,
  type Registry,
  type RegistryProperties,
  SCOPE_MAP,
  TOKEN,
} from './registry-properties.ts'
import { findSku, SKU_LIMITS, type SkuName, skuOf } from './sku.ts'
import { requireValidPatterns } from './tag-immutability.ts'

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
  requireNoIdentity(next)
  requireTierFor(next, sku)
  requireConsistentPolicies(next)
  requireValidPatterns(next.properties.policies)
  requireValidRules(networkRulesOf(next.properties))
  if (previous && skuOf(previous) === 'Premium' && sku !== 'Premium') {
    await requireNothingPremiumLeft(next, sku, context)
  }
  if (previous && skuOf(previous) !== sku) await requireQuotaFor(next, sku, context)
}

async function requireFreeName({ id, name }: Registry, context: Context): Promise<void> {
  const other = await findByName(name, context)
  if (!other || other.id.toLowerCase() === id.toLowerCase()) return
  throw alreadyInUse(loginServerOf(name, context.settings.registryDomain))
}

function requireNoIdentity({ top: { identity } }: Registry): void {
  if (!isObject(identity) || identity.type === 'None') return
  throw invalidProperty('identity.type', 'managed identities are not available here.')
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
  if (properties.publicNetworkAccess === 'Disabled') throw publicAccessNotDisabled(sku)
  const used = PREMIUM_FEATURES.find(({ isUsed }) => isUsed(properties))
  if (used) throw notSupportedForSku(used.code, used.feature, sku, used.page)
}

interface PremiumFeature {
  readonly isUsed: (properties: RegistryProperties) => boolean
  readonly code: string
  readonly feature: string
  /** The last part of the address that explains it. */
  readonly page: string
}

const policyIsOn =
  (policy: 'quarantinePolicy' | 'trustPolicy' | 'retentionPolicy') =>
  ({ policies }: RegistryProperties) =>
    policies[policy].status === 'enabled'

const PREMIUM_FEATURES: readonly PremiumFeature[] = [
  {
    isUsed: (properties) => !isOpen(networkRulesOf(properties)),
    code: 'NetworkRuleSetNotSupported',
    feature: 'Network rule set',
    page: 'firewall',
  },
  {
    isUsed: ({ dataEndpointEnabled }) => dataEndpointEnabled,
    code: 'DataEndpointNotSupported',
    feature: 'Data endpoint',
    page: 'data-endpoints',
  },
  {
    isUsed: ({ zoneRedundancy }) => zoneRedundancy === 'Enabled',
    code: 'ZoneRedundancyNotSupported',
    feature: 'Zone redundancy',
    page: 'zone-redundancy',
  },
  {
    isUsed: policyIsOn('quarantinePolicy'),
    code: 'PolicyNotSupported',
    feature: 'Quarantine policy',
    page: 'skus',
  },
  {
    isUsed: policyIsOn('trustPolicy'),
    code: 'PolicyNotSupported',
    feature: 'Content trust policy',
    page: 'content-trust',
  },
  {
    isUsed: policyIsOn('retentionPolicy'),
    code: 'PolicyNotSupported',
    feature: 'Retention policy',
    page: 'retention',
  },
  {
    isUsed: ({ policies }) => policies.exportPolicy.status === 'disabled',
    code: 'PolicyNotSupported',
    feature: 'Disabling exports',
    page: 'export-policy',
  },
]

function requireConsistentPolicies({ name, properties }: Registry): void {
  if (properties.policies.exportPolicy.status === 'enabled') return
  if (properties.publicNetworkAccess === 'Disabled') return
  // Known of a registry whose public access is turned on again; for one whose exports are turned off it is not verified.
  throw new ArmError(400, {
    code: 'BadRequest',
    message: `Enabling public network access is not supported because the registry '${name}' has exports disabled.`,
  })
}

async function requireQuotaFor({ id }: Registry, sku: SkuName, context: Context): Promise<void> {
  const { tokens, scopeMaps } = SKU_LIMITS[sku]
  if ((await context.count(id, TOKEN)) > tokens) throw quotaExceeded('tokens', sku)
  if ((await context.count(id, SCOPE_MAP)) > scopeMaps) throw quotaExceeded('scopeMaps', sku)
}

async function requireNothingPremiumLeft(
  { id }: Registry,
  sku: SkuName,
  context: Context,
): Promise<void> {
  const replications = await context.children(id, REPLICATION)
  if (replications.length > 0) {
    throw notSupportedForSku('ReplicationNotSupported', 'Geo-replication', sku, 'geo-replication')
  }
  const connections = await context.children(id, CONNECTION)
  if (connections.length > 0) {
    throw notSupportedForSku('PrivateLinkNotSupported', 'Private link', sku, 'private-link')
  }
}
