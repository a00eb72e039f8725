import type { Digest } from '../../lib/digest.ts'
import type { RepositoryKey } from '../content/repository-key.ts'
import type { ManifestReference } from '../http/oci-path.ts'
import type { UpstreamRepository } from './cache-rule.ts'

/** A repository here and where its content comes from. */
export interface CachedRepository extends RepositoryKey {
  readonly upstream: UpstreamRepository
  /** Its tags stay where the first push, or fetch, has put them. */
  readonly keepsTags?: boolean
}

/** What came of asking elsewhere. */
export type Fetched =
  /** The repository has it now. */
  | { readonly kind: 'here' }
  /** There is no such thing elsewhere. */
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'failed'
      readonly reason: 'denied' | 'throttled' | 'unreachable' | 'invalid'
      /** Public. */
      readonly message: string
      readonly retryAfterSeconds?: number
    }

/** A blob whose bytes come in now. */
export interface Arriving {
  readonly kind: 'arriving'
  /** Also the upload's into which it comes. */
  readonly id: string
  readonly size: number
}

export interface Arrived {
  readonly state: 'arriving' | 'ended'
  /** Bytes that may be given on; the last one of all only comes when the digest of all of them is proven. */
  readonly available: number
}

/**
 * What repositories under a cache rule lack, fetched from elsewhere: each thing once, however many ask for it. There is one
 * of these for all processes that serve, so what goes over it is plain data. Every call ends in bounded time.
 */
export interface Upstream {
  /** Brings a manifest here; a tag that came from there before is looked after, and led to what it leads to now. */
  manifest(from: CachedRepository, reference: ManifestReference): Promise<Fetched>
  /** Begins to bring a blob here that a manifest of the repository names. */
  blob(from: CachedRepository, digest: Digest): Promise<Fetched | Arriving>
  /** Waits until more than `position` bytes of an arriving blob are there, or it has ended, well or badly. */
  arrived(id: string, position: number): Promise<Arrived>
}
