import { createHash } from 'node:crypto'
import { keyOf, parseResourceId } from '../../arm/resource-id.ts'
import type { Resource, Settings } from '../../arm/resource-type.ts'
import type { CacheRule } from '../../registry/cache/cache-rule.ts'
import { destinationsOf } from '../../registry/registry-destinations.ts'
import type {
  PublicAccess,
  RegistryDirectory,
  RegistryFacts,
} from '../../registry/registry-directory.ts'
import type { Change, ChangeFeed } from '../../storage/change-feed.ts'
import type { CacheRuleResource } from './cache-rule.ts'
import { parseSource } from './cached-repository.ts'
import { networkRulesOf } from './network-rules.ts'
import { type Connection, isConnected } from './private-endpoint-connection.ts'
import { dataEndpointOf, loginServerOf, regionsOf } from './registry-hosts.ts'
import {
  CACHE_RULE,
  CONNECTION,
  REGISTRY,
  REPLICATION,
  type Registry,
  SCOPE_MAP,
  TOKEN,
  uidOf,
} from './registry-properties.ts'
import { isPremium } from './sku.ts'
import { immutableTagsIn } from './tag-immutability.ts'
import { createTokenSource } from './token-source.ts'

/** Committed resources, read outside of any transaction. */
export interface CommittedResources {
  get<P>(id: string): Promise<Resource<P> | undefined>
  all<P>(type: string): Promise<readonly Resource<P>[]>
  children<P>(parentId: string, type: string): Promise<readonly Resource<P>[]>
}

/** The registries as the registry plane sees them: loaded once, then kept in step with the feed. */
export async function createRegistryDirectory({
  resources,
  feed,
  settings,
  unseal,
}: {
  readonly resources: CommittedResources
  readonly feed: ChangeFeed
  readonly settings: Pick<Settings, 'registryDomain'>
  readonly unseal: (sealed: string) => string
}): Promise<RegistryDirectory> {
  const byId = new Map<string, RegistryFacts>()
  let byHost = destinationsOf([])
  let version = 0
  const tokens = createTokenSource(resources)

  const read = async (registry: Registry): Promise<RegistryFacts> =>
    factsOf(
      registry,
      {
        replications: await resources.children(registry.id, REPLICATION),
        connections: await resources.children(registry.id, CONNECTION),
        tokens: tokens.of(registry.id),
        cacheRules: await resources.children(registry.id, CACHE_RULE),
      },
      settings.registryDomain,
      unseal,
    )

  const refresh = async (changes: readonly Change[]): Promise<void> => {
    const ids = new Set(changes.flatMap(({ id }) => registryIdOf(id) ?? []))
    if (ids.size === 0) return
    await tokens.refresh(changes)
    for (const id of ids) {
      const registry = await resources.get<Registry['properties']>(id)
      if (registry) byId.set(keyOf(id), await read(registry))
      else byId.delete(keyOf(id))
    }
    byHost = destinationsOf(byId.values())
    version++
  }

  // One after the other: a reading that was begun earlier must not overwrite a later one.
  let last: Promise<void> = load()
  async function load(): Promise<void> {
    await tokens.load()
    for (const registry of await resources.all<Registry['properties']>(REGISTRY)) {
      byId.set(keyOf(registry.id), await read(registry))
    }
    byHost = destinationsOf(byId.values())
  }
  feed.subscribe((changes) => {
    last = last.catch(() => {}).then(() => refresh(changes))
    return last
  })
  await last

  return {
    byHost: (host) => byHost.get(host.toLowerCase()),
    byId: (id) => byId.get(keyOf(id)),
    list: () => [...byId.values()],
    get version() {
      return version
    },
  }
}

/** The id of the registry that a resource is or lies in. */
function registryIdOf(id: string): string | undefined {
  const parsed = parseResourceId(id)
  if (!parsed) return undefined
  const type = parsed.type.toLowerCase()
  if (type === REGISTRY.toLowerCase()) return parsed.id
  const isPart = [REPLICATION, CONNECTION, SCOPE_MAP, TOKEN, CACHE_RULE].some(
    (part) => part.toLowerCase() === type,
  )
  return isPart ? parsed.parent : undefined
}

function factsOf(
  registry: Registry,
  parts: {
    replications: readonly Resource[]
    connections: readonly Connection[]
    tokens: RegistryFacts['tokens']
    cacheRules: readonly CacheRuleResource[]
  },
  domain: string,
  unseal: (sealed: string) => string,
): RegistryFacts {
  const { id, name, properties, location = '' } = registry
  const hasPrivateEndpoints = parts.connections.some(isConnected)
  return {
    id,
    uid: uidOf(registry),
    name,
    loginServer: loginServerOf(name, domain),
    homeRegion: location,
    dataEndpoints: regionsOf(registry, parts.replications).map((region) => ({
      region,
      host: dataEndpointOf(name, region, domain),
    })),
    redirectsBlobs: properties.dataEndpointEnabled || hasPrivateEndpoints,
    publicAccess: publicAccessOf(registry),
    isPrivateLinked: properties.privateLinked ?? false,
    anonymousPull: properties.anonymousPullEnabled,
    ...lifetimesOf(registry),
    immutableTagsIn: immutableTagsIn(registry),
    ...(parts.cacheRules.length > 0 && { cacheRules: parts.cacheRules.flatMap(cacheRuleOf) }),
    ...(properties.adminUserEnabled && {
      admin: {
        username: name,
        passwordHashes: (properties.adminPasswords ?? []).map((sealed) =>
          createHash('sha256').update(unseal(sealed)).digest(),
        ),
      },
    }),
    tokens: parts.tokens,
  }
}

function cacheRuleOf({ name, properties }: CacheRuleResource): readonly CacheRule[] {
  const { sourceRepository, targetRepository, credentialSetResourceId } = properties
  const source = parseSource(sourceRepository)
  if (!source) return []
  return [
    {
      name,
      host: source.host,
      sourceRepository: source.pattern,
      targetRepository,
      ...(credentialSetResourceId !== undefined && { credentialSet: credentialSetResourceId }),
    },
  ]
}

/** What its policies say of deleted and of untagged content. */
function lifetimesOf({
  properties: { policies },
}: Registry): Pick<RegistryFacts, 'softDelete' | 'untaggedRetention'> {
  const { softDeletePolicy, retentionPolicy } = policies
  return {
    softDelete: {
      isOn: softDeletePolicy.status === 'enabled',
      days: softDeletePolicy.retentionDays,
    },
    ...(retentionPolicy.status === 'enabled' && {
      untaggedRetention: {
        days: retentionPolicy.days,
        from: retentionPolicy.enabledSince ?? retentionPolicy.lastUpdatedTime ?? '',
      },
    }),
  }
}

function publicAccessOf(registry: Registry): PublicAccess {
  if (registry.properties.publicNetworkAccess === 'Disabled') return { kind: 'none' }
  const { defaultAction, ipRules } = networkRulesOf(registry.properties)
  if (!isPremium(registry) || defaultAction === 'Allow') return { kind: 'all' }
  return { kind: 'selected', ranges: ipRules.map((rule) => rule.value) }
}
