import type { Logger } from 'pino'
import type { Clock } from '../../lib/clock.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { ContentReader } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { ImageCopyError, type RemoteSource } from '../copy/image-copy.ts'
import { openRemoteRepository, type RemoteRepository } from '../copy/remote-registry.ts'
import type { Outside } from '../outside.ts'
import { createArrivals } from './arrivals.ts'
import { createBlobFetcher } from './blob-fetcher.ts'
import type { CacheReader } from './cache-reader.ts'
import type { UpstreamRepository } from './cache-rule.ts'
import type { CacheWriter } from './cache-writer.ts'
import { createManifestFetcher } from './manifest-fetcher.ts'
import type { Fetched, Upstream } from './upstream.ts'

/** Sign-ins that are kept for the next request: a token serves many. */
const REPOSITORIES_KEPT = 256

/** The credentials of a set, by its ARM id; undefined where a secret of it is not known here. */
export type CredentialsOf = (
  credentialSet: string,
) => Promise<RemoteSource['credentials'] | undefined>

export interface UpstreamPorts {
  readonly outside: Outside
  readonly blobs: BlobStore
  readonly reader: ContentReader
  readonly writer: ContentWriter
  readonly cacheReader: CacheReader
  readonly cacheWriter: CacheWriter
  readonly clock: Clock
  readonly log: Pick<Logger, 'info' | 'error'>
  readonly credentialsOf: CredentialsOf
  /** Between the tries for a blob, in milliseconds. */
  readonly pauses: readonly number[]
}

/** Opens what a rule leads to. @throws ImageCopyError `source-denied` where the credentials are not known */
export type OpenUpstream = (repository: UpstreamRepository) => Promise<RemoteRepository>

/** The one place where the cache fetches. `close` ends what is on its way. */
export function createUpstream(ports: UpstreamPorts): Upstream & { close(): Promise<void> } {
  const closing = new AbortController()
  const working = new Set<Promise<unknown>>()
  const opened = new Map<string, RemoteRepository>()

  const open: OpenUpstream = async ({ rule, host, repository, credentialSet }) => {
    const credentials =
      credentialSet === undefined ? undefined : await ports.credentialsOf(credentialSet)
    if (credentialSet !== undefined && !credentials) throw noCredentials(rule)
    const key = JSON.stringify([host, repository, credentials])
    const known = opened.get(key)
    // The least recently used is the first.
    opened.delete(key)
    const [oldest] = opened.keys()
    if (oldest !== undefined && opened.size >= REPOSITORIES_KEPT) opened.delete(oldest)
    const remote =
      known ??
      openRemoteRepository(
        ports.outside,
        { host, repository, ...(credentials && { credentials }) },
        { who: `cache rule ${rule}`, what: 'cache', signal: closing.signal },
      )
    opened.set(key, remote)
    return remote
  }

  function track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => working.delete(tracked))
    tracked.catch(() => undefined)
    working.add(tracked)
    return tracked
  }

  const arrivals = createArrivals()
  const blobFetcher = createBlobFetcher(ports, { open, arrivals, track, signal: closing.signal })
  const manifestFetcher = createManifestFetcher(ports, { open, blobFetcher })

  /** One answer for all who ask for the same while it is on its way. */
  const asking = new Map<string, Promise<Fetched>>()
  function once(key: string, work: () => Promise<Fetched>): Promise<Fetched> {
    const known = asking.get(key)
    if (known) return known
    const asked = track(work()).finally(() => asking.delete(key))
    asking.set(key, asked)
    return asked
  }

  return {
    manifest(from, reference) {
      const { registry, repository } = from
      const key = JSON.stringify([registry, repository, reference])
      return once(key, () => manifestFetcher.fetch(from, reference))
    },
    blob: (from, digest) => blobFetcher.fetch(from, digest),
    arrived: (id, position) => arrivals.arrived(id, position),
    async close() {
      closing.abort(new ImageCopyError('source-unreachable', 'The server ends.'))
      await Promise.allSettled(working)
    },
  }
}

const noCredentials = (rule: string): ImageCopyError =>
  new ImageCopyError(
    'source-denied',
    `The credential set of the cache rule '${rule}' has a secret that is not known here.`,
  )
