import type { Clock } from '../../lib/clock.ts'
import { isErrno } from '../../lib/files.ts'
import { type BlobStore, isStorageFull } from '../../storage/blob-store.ts'
import { copyBlob } from '../mending/copy-blob.ts'
import type { Mender } from '../mending/create-mender.ts'
import { HOME } from './home.ts'
import type { RegionStores } from './region-stores.ts'
import type { QueuedBlob, ReplicaQueue } from './replica-queue.ts'

/** Copied at a time: enough to keep a disk busy, few enough to leave it to those who wait for an answer. */
const COPIES = 2
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
  readonly mend: Mender['mend']
  readonly clock: Clock
  readonly log: { error(event: object, message: string): void }
}): Replicator {
  const { queue, stores, mend, clock, log } = options
  let isStopped = false
  let isAsked = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function copy(blob: QueuedBlob): Promise<'copied' | 'unwanted'> {
    const store = await stores.replica(blob.region)
    const present = await store.open(blob.digest).catch((error: unknown) => {
      // What cannot be opened is put in place anew.
      if (isErrno(error, 'EIO')) return undefined
      throw error
    })
    if (present) {
      await present.close()
      return 'copied'
    }
    if (await copyFrom(HOME, store, blob)) return 'copied'
    const whole = await mend(HOME, blob.digest)
    if (whole !== undefined && (await copyFrom(whole, store, blob))) return 'copied'
    // It is gone everywhere, and nobody waits for it any more.
    if (!(await queue.isWanted(blob))) return 'unwanted'
    throw new NowhereWhole()
  }

  /** False where a region has it not, or not whole. */
  async function copyFrom(region: string, to: BlobStore, blob: QueuedBlob): Promise<boolean> {
    const from = region === HOME ? stores.home : await stores.replica(region)
    const source = await from.open(blob.digest)
    if (!source) return false
    try {
      // A region shows what its store has.
      return (await copyBlob(source, to, blob, async () => true)) === 'copied'
    } finally {
      await source.close()
    }
  }

  async function tryOne(blob: QueuedBlob): Promise<void> {
    let outcome: 'copied' | 'unwanted'
    try {
      outcome = await copy(blob)
    } catch (error) {
      const { registry, region, digest, attempts } = blob
      log.error({ err: error, registry, region, digest, attempts }, 'a blob could not be copied')
      const wait = Math.min(FIRST_RETRY_MS * 2 ** attempts, LAST_RETRY_MS)
      return queue.failed(blob, reasonOf(error), new Date(clock.now().getTime() + wait))
    }
    await queue.done(blob, outcome)
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
  if (error instanceof NowhereWhole) return error.message
  return isStorageFull(error) ? 'no space is left in the region' : 'the disk of the region failed'
}

class NowhereWhole extends Error {
  override readonly name = 'NowhereWhole'
  constructor() {
    super('the bytes at home do not have this digest any more, and no other region has them')
  }
}
