import { setTimeout as delay } from 'node:timers/promises'
import type { Digest } from '../../lib/digest.ts'
import { createSlots } from '../../lib/slots.ts'
import { fetchBlob } from '../copy/fetch-blob.ts'
import type { Descriptor } from '../manifests/manifest.ts'
import type { Arrivals } from './arrivals.ts'
import type { OpenUpstream, UpstreamPorts } from './create-upstream.ts'
import type { Arriving, CachedRepository, Fetched } from './upstream.ts'
import { failureOf } from './upstream-failure.ts'

/** From all registries elsewhere together; the others wait. */
const BLOBS_AT_ONCE = 16
/** How long a client waits for the first byte, with all tries and its turn. */
const BEGIN_SECONDS = 60

export interface BlobFetcher {
  /** Answers as soon as the bytes begin to come. @throws what is our own failure */
  fetch(from: CachedRepository, digest: Digest): Promise<Fetched | Arriving>
  /** Answers when the blob is whole, or does not become so. @throws what is our own failure */
  bring(from: CachedRepository, digest: Digest): Promise<Fetched>
}

interface Fetching {
  readonly begun: Promise<Fetched | Arriving>
  readonly ended: Promise<Fetched>
}

/** Fetches blobs from where cache rules lead, each once, however many ask for it. */
export function createBlobFetcher(
  ports: UpstreamPorts,
  options: {
    readonly open: OpenUpstream
    readonly arrivals: Arrivals
    /** Lets the end wait for a piece of work. */
    readonly track: <T>(work: Promise<T>) => Promise<T>
    readonly signal: AbortSignal
  },
): BlobFetcher {
  const { reader, cacheReader, writer, blobs, log, pauses } = ports
  const { open, arrivals, track, signal } = options
  const inSlot = createSlots(BLOBS_AT_ONCE)
  const fetching = new Map<string, Fetching>()

  async function arrive(
    from: CachedRepository,
    blob: Descriptor,
    begun: (arriving: Arriving) => void,
  ): Promise<Fetched> {
    signal.throwIfAborted()
    const { registry, repository, upstream } = from
    const { digest, size } = blob
    let arrival: ReturnType<Arrivals['begin']> | undefined
    try {
      await fetchBlob(await open(upstream), blobs, {
        owner: { registry, repository },
        blob,
        link: () => writer.linkBlob({ registry, repository }, digest, size),
        pauses,
        signal,
        begun(upload) {
          arrival = arrivals.begin(upload, size)
          begun({ kind: 'arriving', id: upload.id, size })
        },
        progressed: () => arrival?.progressed(),
      })
      return { kind: 'here' }
    } catch (error) {
      const failure = failureOf(error)
      const { host, rule } = upstream
      log.info({ rule, host, digest, failure }, 'a blob did not arrive')
      return failure
    } finally {
      // After it is linked, so that who waited finds it.
      arrival?.end()
    }
  }

  function start(from: CachedRepository, digest: Digest): Fetching {
    const { registry, repository } = from
    const key = JSON.stringify([registry, repository, digest])
    const known = fetching.get(key)
    if (known) return known
    const here = async (kind: 'here' | 'unknown'): Promise<Fetched> => ({ kind })
    if (reader.blobSize(registry, repository, digest) !== undefined) {
      return { begun: here('here'), ended: here('here') }
    }
    const blob = cacheReader.namedBlob(registry, repository, digest)
    if (!blob) return { begun: here('unknown'), ended: here('unknown') }
    const { promise: arriving, resolve: begin } = Promise.withResolvers<Arriving>()
    const ended = track(inSlot(() => arrive(from, blob, begin)))
    const started = { begun: Promise.race([arriving, ended]), ended }
    // Who only waits for the end has no part in its beginning.
    started.begun.catch(() => undefined)
    fetching.set(key, started)
    const forget = () => void fetching.delete(key)
    ended.then(forget, forget)
    return started
  }

  return {
    async fetch(from, digest) {
      const hasBegun = new AbortController()
      try {
        return await Promise.race([start(from, digest).begun, tooLate(hasBegun.signal)])
      } finally {
        hasBegun.abort()
      }
    },
    bring: (from, digest) => start(from, digest).ended,
  }
}

async function tooLate(signal: AbortSignal): Promise<Fetched> {
  await delay(BEGIN_SECONDS * 1000, undefined, { signal })
  return {
    kind: 'failed',
    reason: 'unreachable',
    message: `The blob did not begin to come within ${BEGIN_SECONDS} seconds.`,
  }
}
