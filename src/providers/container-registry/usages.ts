import type { Action, Context } from '../../arm/resource-type.ts'
import type { ReplicaState } from '../../registry/replicas/replica-queue.ts'
import { networkRulesOf } from './network-rules.ts'
import {
  CONNECTION,
  REPLICATION,
  type Registry,
  type RegistryProperties,
  SCOPE_MAP,
  TOKEN,
  uidOf,
  WEBHOOK,
} from './registry-properties.ts'
import { IP_RULES_MAX, isPremium, SKU_LIMITS, skuOf, VIRTUAL_NETWORK_RULES_MAX } from './sku.ts'

/** What the control plane asks of a registry's content; implemented by the registry plane. */
export interface StoredContent {
  /** Bytes of all blobs of a registry, each counted once. */
  storedBytes(registryUid: string): Promise<number>
  /** How far a region is behind; undefined for a home, and for a region that has just come. */
  replicaState(replica: {
    readonly registry: string
    readonly region: string
  }): Promise<ReplicaState | undefined>
}

const count = (name: string, limit: number, currentValue: number) => ({
  name,
  limit,
  currentValue,
  unit: 'Count',
})

export const createListUsages = (content: StoredContent): Action<RegistryProperties> => ({
  method: 'GET',
  permission: 'listUsages/read',
  run: async (registry, _body, context) => {
    const limits = SKU_LIMITS[skuOf(registry)]
    const webhooks = await context.children(registry.id, WEBHOOK)
    const currentValue = await content.storedBytes(uidOf(registry))
    return {
      value: [
        { name: 'Size', limit: limits.storageBytes, currentValue, unit: 'Bytes' },
        count('Webhooks', limits.webhooks, webhooks.length),
        ...(isPremium(registry) ? await premiumUsages(registry, context) : []),
        count('ScopeMaps', limits.scopeMaps, await context.count(registry.id, SCOPE_MAP)),
        count('Tokens', limits.tokens, await context.count(registry.id, TOKEN)),
      ],
    }
  },
})

async function premiumUsages(registry: Registry, context: Context) {
  const { ipRules, virtualNetworkRules } = networkRulesOf(registry.properties)
  const replications = await context.children(registry.id, REPLICATION)
  const connections = await context.children(registry.id, CONNECTION)
  return [
    // The service sets no limit to replications and writes that as -1.
    count('Geo-replications', -1, replications.length),
    count('IPRules', IP_RULES_MAX, ipRules.length),
    count('VNetRules', VIRTUAL_NETWORK_RULES_MAX, virtualNetworkRules.length),
    count('PrivateEndpoints', context.settings.privateEndpointsPerRegistry, connections.length),
  ]
}
