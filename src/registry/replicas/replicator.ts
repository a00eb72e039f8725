import type { Clock } from '../../lib/clock.ts'
import { type BlobReader, isStorageFull } from '../../storage/blob-store.ts'
import type { RegionStores } from './region-stores.ts'
import type { QueuedBlob, ReplicaQueue } from './replica-queue.ts'

/** Copied at a time: enough to keep a disk busy, few enough to leave it to those who wait for an answer. */
const COPIES = 2
const CHUNK_BYTES = 1 << 20
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 5 * 60 * 1000

/** Brings to each region the blobs that wait for it. */
export interface Replicator {
  /** Something may have been queued. */
  wake(): void
  /** Settles when all that is due has been tried once. */
  idle(): Promise<void>
  /** Ends after the copies at hand; what waits is taken up by the next. */
  stop(): Promise<void>
}

export function createReplicator(options: {
  readonly queue: ReplicaQueue
  readonly stores: RegionStores
  readonly clock: Clock
  readonly log: { error(event: object, message: string): void }
}): Replicator {
  const { queue, stores, clock, log } = options
  let isStopped = false
  let isAsked = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function copy(blob: QueuedBlob): Promise<void> {
    const store = await stores.replica(blob.region)
    const present = await store.open(blob.digest)
    if (present) return present.close()
    const source = await stores.home.open(blob.digest)
    // It is gone everywhere, and nobody waits for it any more.
    if (!source) return
    const upload = await store.begin({ registry: blob.registry, repository: '' })
    try {
      await upload.append(bytesOf(source))
      // A region shows what its store has.
      const isSeen = async () => true
      if ((await upload.commit(blob.digest, isSeen)) === 'mismatch') throw new BytesChanged()
    } catch (error) {
      await upload.discard()
      throw error
    } finally {
      await source.close()
    }
  }

  async function tryOne(blob: QueuedBlob): Promise<void> {
    try {
      await copy(blob)
    } catch (error) {
      const { registry, region, digest, attempts } = blob
      log.error({ err: error, registry, region, digest, attempts }, 'a blob could not be copied')
      const wait = Math.min(FIRST_RETRY_MS * 2 ** attempts, LAST_RETRY_MS)
      return queue.failed(blob, reasonOf(error), new Date(clock.now().getTime() + wait))
    }
    await queue.done(blob)
  }

  async function run(): Promise<void> {
    while (isAsked && !isStopped) {
      isAsked = false
      let batch = await queue.due(COPIES)
      while (batch.length > 0 && !isStopped) {
        await Promise.all(batch.map(tryOne))
        batch = await queue.due(COPIES)
      }
    }
    const next = await queue.nextDue()
    if (next && !isStopped) {
      const wait = Math.max(next.getTime() - clock.now().getTime(), FIRST_RETRY_MS)
      timer = setTimeout(wake, Math.min(wait, LAST_RETRY_MS))
      timer.unref()
    }
  }

  function wake(): void {
    isAsked = true
    if (isStopped || running) return
    clearTimeout(timer)
    running = run()
      .catch((error: unknown) => log.error({ err: error }, 'the queue of replicas failed'))
      .finally(() => {
        running = undefined
        if (isAsked) wake()
      })
  }

  return {
    wake,
    async idle() {
      while (running) await running
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/** For clients: the log has the error itself. */
function reasonOf(error: unknown): string {
  if (error instanceof BytesChanged) return error.message
  return isStorageFull(error) ? 'no space is left in the region' : 'the disk of the region failed'
}

/** What the home has under a digest is something else by now. */
class BytesChanged extends Error {
  override readonly name = 'BytesChanged'
  constructor() {
    super('the bytes at home do not have this digest any more')
  }
}

async function* bytesOf(reader: BlobReader): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    // A chunk of its own each time: the store may still be writing the one before.
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    const read = await reader.read(chunk, position)
    if (read === 0) return
    position += read
    yield chunk.subarray(0, read)
  }
}
