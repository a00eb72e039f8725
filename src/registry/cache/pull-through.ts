import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { ContentReader } from '../content/content-reader.ts'
import { disallowed } from '../content/disallowed.ts'
import { isNamedBy } from '../content/first-push-wins.ts'
import { OciError } from '../http/oci-error.ts'
import type { ManifestReference } from '../http/oci-path.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import { type ArrivingBlob, arrivingBlob } from './arriving-blob.ts'
import type { CacheReader } from './cache-reader.ts'
import { upstreamOf } from './cache-rule.ts'
import type { CachedRepository, Fetched, Upstream } from './upstream.ts'

/** For how long a client is told to leave a source alone that does not say so itself. */
const RETRY_AFTER_SECONDS = 30

/** What a pull does before it looks at what is here. Repositories under no cache rule are left as they are. */
export interface PullThrough {
  /**
   * Brings a manifest here, or up to date.
   *
   * @throws OciError where there is none here and none is to be had, and where the repository may not be read: then nothing
   * is fetched
   */
  manifest(
    registry: RegistryFacts,
    path: { readonly repository: string; readonly reference: ManifestReference },
  ): Promise<void>
  /**
   * A blob that is on its way; undefined where it is here, or is nobody's. `not-readable`: it is not here, and is not
   * fetched, for the repository may not be read.
   *
   * @throws OciError where it is not to be had
   */
  blob(
    registry: RegistryFacts,
    path: { readonly repository: string; readonly digest: Digest },
  ): Promise<ArrivingBlob | 'not-readable' | undefined>
}

export function createPullThrough(ports: {
  readonly upstream: Upstream
  readonly blobs: BlobStore
  readonly reader: ContentReader
  readonly cacheReader: CacheReader
  readonly clock: Clock
  /** After which a tag is looked after again. */
  readonly recheckSeconds: number
}): PullThrough {
  const { upstream, reader, cacheReader, clock, recheckSeconds } = ports

  function cached(registry: RegistryFacts, repository: string): CachedRepository | undefined {
    const found = upstreamOf(registry.cacheRules, repository)
    if (!found) return undefined
    const keepsTags = isNamedBy(registry.immutableTagsIn, repository)
    return { registry: registry.uid, repository, upstream: found, keepsTags }
  }

  /** Whether what is here has to be looked after before it is served, or is not here at all. */
  function isDue({ registry, repository }: CachedRepository, reference: ManifestReference) {
    if ('digest' in reference)
      return !reader.manifestByDigest(registry, repository, reference.digest)
    const here = reader.tag(registry, repository, reference.tag)
    if (!here) return true
    const there = cacheReader.upstreamTag(registry, repository, reference.tag)
    // Pushed here: the pusher's, and not ours to move.
    if (there?.digest !== here.digest) return false
    return clock.now().getTime() - Date.parse(there.checkedAt) >= recheckSeconds * 1000
  }

  function isHere({ registry, repository }: CachedRepository, reference: ManifestReference) {
    return 'tag' in reference
      ? reader.tag(registry, repository, reference.tag) !== undefined
      : reader.manifestByDigest(registry, repository, reference.digest) !== undefined
  }

  return {
    async manifest(registry, { repository, reference }) {
      const from = cached(registry, repository)
      if (!from || !isDue(from, reference)) return
      if (!reader.isReadable(registry.uid, repository)) {
        throw disallowed({ name: repository, attribute: 'readEnabled' })
      }
      const fetched = await upstream.manifest(from, reference)
      if (fetched.kind === 'here' || isHere(from, reference)) return
      if (fetched.kind === 'unknown') throw new OciError('MANIFEST_UNKNOWN', reference)
      throw refusal(from, fetched)
    },

    async blob(registry, { repository, digest }) {
      const from = cached(registry, repository)
      if (!from || reader.blobSize(registry.uid, repository, digest) !== undefined) return undefined
      if (!reader.isReadable(registry.uid, repository)) return 'not-readable'
      const fetched = await upstream.blob(from, digest)
      if (fetched.kind === 'arriving') return arrivingBlob(ports, from, digest, fetched)
      if (fetched.kind === 'failed') throw refusal(from, fetched)
      return undefined
    },
  }
}

/**
 * The first two sentences are the service's (Azure/acr#599, Azure/acr#754); which codes go with them is not verified. A 401
 * would make clients sign in here once more, so it is none.
 */
function refusal(
  { upstream: { rule } }: CachedRepository,
  { reason, message, retryAfterSeconds }: Extract<Fetched, { kind: 'failed' }>,
): OciError {
  const detail = { reason: message }
  const headers = { 'Retry-After': String(retryAfterSeconds ?? RETRY_AFTER_SECONDS) }
  switch (reason) {
    case 'denied':
      return new OciError('DENIED', detail, {
        message: `authentication required with source registry for cache rule '${rule}'`,
      })
    case 'throttled':
      return new OciError('TOOMANYREQUESTS', detail, {
        message: `too many requests to source registry for cache rule '${rule}'`,
        headers,
      })
    case 'unreachable':
      return new OciError('UNAVAILABLE', detail, {
        message: `the source registry for cache rule '${rule}' cannot be reached: ${message}`,
        headers,
      })
    case 'invalid':
      return new OciError('MANIFEST_UNKNOWN', detail, {
        message: `what the source registry for cache rule '${rule}' has is not usable: ${message}`,
      })
  }
}
