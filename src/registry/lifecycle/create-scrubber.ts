import { setTimeout as delay } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import { createMutex } from '../../lib/mutex.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { Tables } from '../../storage/tables.ts'
import type { Mender } from '../mending/create-mender.ts'
import type { RegistryDirectory } from '../registry-directory.ts'
import { HOME } from '../replicas/home.ts'
import { lookForMissing } from './look-for-missing.ts'
import { describeScrub, keepScrub, openScrub, type Scrub } from './scrub-state.ts'

/** How long one step reads, unless one blob takes longer. */
const STEP_MS = 1000
const MISSING_BATCH = 500
/** Of positions after the last file. */
const ROWS = 'rows:'

export interface ScrubPorts {
  readonly database: Kysely<Tables>
  readonly blobs: BlobStore
  readonly mender: Mender
  readonly directory: Pick<RegistryDirectory, 'list'>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Reads every blob again, a step at a time; what it has done survives the process. */
export interface Scrubber {
  step(request: {
    readonly bytesPerSecond?: number
    readonly restarts?: boolean
  }): ReturnType<typeof describeScrub>
}

export function createScrubber(ports: ScrubPorts): Scrubber {
  const alone = createMutex()

  return {
    step: ({ bytesPerSecond = Number.POSITIVE_INFINITY, restarts = false }) =>
      alone(async () => {
        let scrub = await openScrub(ports, restarts)
        const begin = performance.now()
        let read = 0
        const pace = async (bytes: number): Promise<void> => {
          ports.signal.throwIfAborted()
          read += bytes
          const early = (read / bytesPerSecond) * 1000 - (performance.now() - begin)
          if (early > 1) await delay(early)
        }
        const isOver = () => performance.now() - begin >= STEP_MS
        if (!scrub.position.startsWith(ROWS)) scrub = await readFiles(ports, scrub, pace, isOver)
        while (scrub.position.startsWith(ROWS) && !scrub.finished_at && !isOver()) {
          scrub = await readRows(ports, scrub)
        }
        await keepScrub(ports, scrub)
        return describeScrub(ports, scrub)
      }),
  }
}

async function readFiles(
  ports: ScrubPorts,
  from: Scrub,
  pace: (bytes: number) => Promise<void>,
  isOver: () => boolean,
): Promise<Scrub> {
  let scrub = from
  for await (const { digest } of ports.blobs.list(scrub.position as Digest)) {
    const bytes = await ports.mender.check(HOME, digest, pace)
    scrub = {
      ...scrub,
      position: digest,
      blobs: scrub.blobs + 1,
      bytes: scrub.bytes + bytes,
    }
    if (isOver()) return scrub
  }
  return { ...scrub, position: ROWS }
}

async function readRows(ports: ScrubPorts, scrub: Scrub): Promise<Scrub> {
  const after = scrub.position.slice(ROWS.length)
  const last = await lookForMissing(ports, after, MISSING_BATCH)
  if (last !== undefined) return { ...scrub, position: `${ROWS}${last}` }
  return { ...scrub, finished_at: ports.clock.now().toISOString() }
}
