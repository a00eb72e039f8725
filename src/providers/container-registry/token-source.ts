import { keyOf, parseResourceId } from '../../arm/resource-id.ts'
import type { Resource } from '../../arm/resource-type.ts'
import type { RepositoryScopes, TokenFacts } from '../../registry/registry-directory.ts'
import type { Change } from '../../storage/change-feed.ts'
import { SCOPE_MAP, TOKEN } from './registry-properties.ts'
import type { ScopeMapProperties } from './scope-map.ts'
import { scopesOf } from './scope-map-actions.ts'
import { SYSTEM_SCOPE_MAPS } from './system-scope-maps.ts'
import type { Token } from './token.ts'

/** Committed tokens and scope maps, read outside of any transaction. */
interface CommittedResources {
  get<P>(id: string): Promise<Resource<P> | undefined>
  all<P>(type: string): Promise<readonly Resource<P>[]>
}

/** The tokens of every registry as the registry plane sees them. */
export interface TokenSource {
  /** By name in lower case. */
  of(registryId: string): ReadonlyMap<string, TokenFacts>
  load(): Promise<void>
  /** Takes up what was written or deleted: reads those resources, and no other. */
  refresh(changes: readonly Change[]): Promise<void>
}

const SYSTEM_SCOPES: ReadonlyMap<string, RepositoryScopes> = new Map(
  SYSTEM_SCOPE_MAPS.map(({ name, actions }) => [name, scopesOf(actions)]),
)
const NOTHING: RepositoryScopes = new Map()

interface KnownToken {
  readonly scopeMapId: string
  readonly facts: Omit<TokenFacts, 'scopes'>
}

/** Keeps each token and scope map by its key, so that of many only those that changed are read again. */
export function createTokenSource(resources: CommittedResources): TokenSource {
  const scopeMaps = new Map<string, RepositoryScopes>()
  const tokens = new Map<string, Map<string, KnownToken>>()

  const takeScopeMap = ({ id, properties }: Resource<ScopeMapProperties>) =>
    scopeMaps.set(keyOf(id), scopesOf(properties.actions))

  const takeToken = (token: Token) => {
    const registry = parentKeyOf(token.id)
    const { scopeMapId } = token.properties
    const known = tokens.get(registry) ?? new Map<string, KnownToken>()
    tokens.set(registry, known.set(keyOf(token.name), { scopeMapId, facts: factsOf(token) }))
  }

  const forgetToken = (id: string) => {
    const registry = parentKeyOf(id)
    const known = tokens.get(registry)
    known?.delete(keyOf(parseResourceId(id)?.name ?? ''))
    if (known?.size === 0) tokens.delete(registry)
  }

  const scopesIn = (scopeMapId: string): RepositoryScopes =>
    scopeMaps.get(keyOf(scopeMapId)) ??
    SYSTEM_SCOPES.get(keyOf(parseResourceId(scopeMapId)?.name ?? '')) ??
    NOTHING

  return {
    of: (registryId) =>
      new Map(
        [...(tokens.get(keyOf(registryId)) ?? [])].map(([name, { scopeMapId, facts }]) => [
          name,
          { ...facts, scopes: scopesIn(scopeMapId) },
        ]),
      ),

    async load() {
      for (const each of await resources.all<ScopeMapProperties>(SCOPE_MAP)) takeScopeMap(each)
      for (const each of await resources.all<Token['properties']>(TOKEN)) takeToken(each)
    },

    async refresh(changes) {
      for (const { id, type } of changes) {
        if (keyOf(type) === keyOf(SCOPE_MAP)) {
          const scopeMap = await resources.get<ScopeMapProperties>(id)
          if (scopeMap) takeScopeMap(scopeMap)
          else scopeMaps.delete(keyOf(id))
        }
        if (keyOf(type) === keyOf(TOKEN)) {
          const token = await resources.get<Token['properties']>(id)
          if (token) takeToken(token)
          else forgetToken(id)
        }
      }
    },
  }
}

const parentKeyOf = (id: string): string => keyOf(parseResourceId(id)?.parent ?? '')

const factsOf = ({ name, properties }: Token): KnownToken['facts'] => ({
  name,
  isEnabled: properties.status === 'enabled',
  passwords: (properties.keptPasswords ?? []).map(({ hash, expiry }) => ({
    hash: Buffer.from(hash, 'hex'),
    ...(expiry !== undefined && { expiresAt: Date.parse(expiry) }),
  })),
})
