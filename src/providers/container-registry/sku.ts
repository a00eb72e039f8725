import { readOnly } from '../../arm/marks.ts'
import type { Resource } from '../../arm/resource-type.ts'
import { type TObject, Type } from '../../lib/schema.ts'

const SKU_NAMES = ['Basic', 'Standard', 'Premium'] as const

export type SkuName = (typeof SKU_NAMES)[number]

const GIB = 2 ** 30

/** What each tier includes: https://learn.microsoft.com/azure/container-registry/container-registry-skus */
export const SKU_LIMITS: Readonly<
  Record<
    SkuName,
    {
      readonly storageBytes: number
      readonly webhooks: number
      readonly tokens: number
      readonly scopeMaps: number
    }
  >
> = {
  Basic: { storageBytes: 10 * GIB, webhooks: 2, tokens: 100, scopeMaps: 100 },
  Standard: { storageBytes: 100 * GIB, webhooks: 10, tokens: 500, scopeMaps: 500 },
  Premium: { storageBytes: 500 * GIB, webhooks: 500, tokens: 50_000, scopeMaps: 50_000 },
}

/** Cache rules of a registry of any tier: https://learn.microsoft.com/azure/container-registry/artifact-cache-overview */
export const CACHE_RULES_MAX = 1000

/** IP rules of a Premium registry. */
export const IP_RULES_MAX = 200

/** Virtual network rules of a Premium registry. */
export const VIRTUAL_NETWORK_RULES_MAX = 100

/** The members of a registry beside its properties. `Classic` parses, so that it can be refused in the service's words. */
export const registryTop: TObject = Type.Object({
  sku: Type.Object({
    name: Type.Enum(['Classic', ...SKU_NAMES]),
    tier: Type.Optional(readOnly(Type.String())),
  }),
  // Parsed to be refused where it is more than `None`.
  identity: Type.Optional(
    Type.Object({
      type: Type.Enum(['None', 'SystemAssigned', 'UserAssigned', 'SystemAssigned, UserAssigned']),
    }),
  ),
})

/** The tier of a stored registry; undefined for the deprecated Classic. */
export function findSku(registry: Pick<Resource, 'top'>): SkuName | undefined {
  const { sku } = registry.top
  if (typeof sku !== 'object' || sku === null || !('name' in sku)) return undefined
  return SKU_NAMES.find((name) => name === sku.name)
}

/** The tier of a registry that has passed validation. */
export function skuOf(registry: Pick<Resource, 'top'>): SkuName {
  const sku = findSku(registry)
  if (!sku) throw new Error('a stored registry without a tier')
  return sku
}

export const isPremium = (registry: Pick<Resource, 'top'>): boolean => skuOf(registry) === 'Premium'
