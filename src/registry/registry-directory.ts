import type { CacheRule } from './cache/cache-rule.ts'

/** Who may come in over the public side. */
export type PublicAccess =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  /** CIDR prefixes or single addresses; everything else is refused. */
  | { readonly kind: 'selected'; readonly ranges: readonly string[] }

/** Actions (`pull`, `metadata_read`, …) by repository: a name, `prefix/*` for all below a prefix, or `*` for all. */
export type RepositoryScopes = ReadonlyMap<string, readonly string[]>

/** A repository-scoped token. */
export interface TokenFacts {
  readonly name: string
  readonly isEnabled: boolean
  readonly passwords: readonly {
    /** SHA-256. */
    readonly hash: Uint8Array
    /** Milliseconds since 1970; without it the password is good until it is replaced. */
    readonly expiresAt?: number
  }[]
  /** What its scope map allows. */
  readonly scopes: RepositoryScopes
}

/** A registry as the registry plane needs it. Host names are lower case. */
export interface RegistryFacts {
  /** ARM id: the scope of role assignments. */
  readonly id: string
  /** Stays with this very registry; another of the same name later has another. Keys all content. */
  readonly uid: string
  readonly name: string
  readonly loginServer: string
  readonly homeRegion: string
  /** One for each region, home region included. */
  readonly dataEndpoints: readonly { readonly region: string; readonly host: string }[]
  /** Blob GETs are sent to the data endpoint: it has an endpoint, or data endpoints are on. */
  readonly redirectsBlobs: boolean
  readonly publicAccess: PublicAccess
  /** It has, or once had, a private endpoint: its public name is an alias into the private zone. */
  readonly isPrivateLinked: boolean
  readonly anonymousPull: boolean
  /** For how many days what is deleted can be restored. The days count also while the policy is off, for what was deleted before. */
  readonly softDelete?: { readonly isOn: boolean; readonly days: number }
  /** Manifests are deleted when they have had no tag for so many days, those that lost it after `from` (ISO 8601). */
  readonly untaggedRetention?: { readonly days: number; readonly from: string }
  /** Repositories whose tags stay on what was pushed first: names, or the beginning of names before a `*`. */
  readonly immutableTagsIn: readonly string[]
  readonly admin?: {
    readonly username: string
    /** SHA-256 of each of the two passwords. */
    readonly passwordHashes: readonly Buffer[]
  }
  /** By name in lower case. */
  readonly tokens: ReadonlyMap<string, TokenFacts>
  /** From where it gets what it lacks; absent where it has no cache rules. */
  readonly cacheRules?: readonly CacheRule[]
}

/** What the registry plane needs to know of registries; owned by registry, implemented by providers. In memory. */
export interface RegistryDirectory {
  /** By login server or data endpoint. */
  byHost(
    host: string,
  ):
    | { readonly registry: RegistryFacts; readonly role: 'login' }
    | { readonly registry: RegistryFacts; readonly role: 'data'; readonly region: string }
    | undefined
  byId(id: string): RegistryFacts | undefined
  list(): readonly RegistryFacts[]
  readonly version: number
}

/** What a deletion in this registry is. */
export const deletionIn = ({ softDelete }: RegistryFacts): 'soft' | 'final' =>
  softDelete?.isOn ? 'soft' : 'final'
