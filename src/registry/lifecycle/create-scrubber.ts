import { setTimeout as delay } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import { createMutex } from '../../lib/mutex.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { ReplicaStores } from '../../storage/replica-stores.ts'
import type { Tables } from '../../storage/tables.ts'
import type { Mender } from '../mending/create-mender.ts'
import type { Pace } from '../mending/whole-blob.ts'
import type { RegistryDirectory } from '../registry-directory.ts'
import { HOME } from '../replicas/home.ts'
import { lookForMissing } from './look-for-missing.ts'
import { readPosition, type ScrubPosition, writePosition } from './scrub-position.ts'
import { describeScrub, keepScrub, openScrub, type Scrub } from './scrub-state.ts'

/** How long one step reads, unless one blob takes longer. */
const STEP_MS = 1000
const MISSING_BATCH = 500

export interface ScrubPorts {
  readonly database: Kysely<Tables>
  /** Of the home. */
  readonly blobs: BlobStore
  readonly replicas: ReplicaStores
  readonly mender: Mender
  readonly directory: Pick<RegistryDirectory, 'list'>
  readonly clock: Clock
  /** Is told why the store of a region cannot be read; the others are. */
  readonly report: (region: string, error: unknown) => void
  readonly signal: AbortSignal
}

/** Reads every blob again in every region, a step at a time; what it has done survives the process. */
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
        const pace: Pace = async (bytes) => {
          ports.signal.throwIfAborted()
          read += bytes
          const early = (read / bytesPerSecond) * 1000 - (performance.now() - begin)
          if (early > 1) await delay(early)
        }
        const isOver = () => performance.now() - begin >= STEP_MS
        do scrub = await goOn(ports, scrub, pace, isOver)
        while (!scrub.finished_at && !isOver())
        await keepScrub(ports, scrub)
        return describeScrub(ports, scrub)
      }),
  }
}

async function goOn(
  ports: ScrubPorts,
  scrub: Scrub,
  pace: Pace,
  isOver: () => boolean,
): Promise<Scrub> {
  const position = readPosition(scrub.position)
  const { region } = position
  try {
    return position.among === 'files'
      ? await readFiles(ports, scrub, position, pace, isOver)
      : await readRows(ports, scrub, position)
  } catch (error) {
    ports.signal.throwIfAborted()
    if (region === HOME) throw error
    ports.report(region, error)
    const unread = `${scrub.unread} ${region}`.trimStart()
    return goToNext(ports, { ...scrub, unread }, region)
  }
}

async function readFiles(
  { blobs, replicas, mender }: ScrubPorts,
  from: Scrub,
  { region, after }: ScrubPosition,
  pace: Pace,
  isOver: () => boolean,
): Promise<Scrub> {
  const store = region === HOME ? blobs : await replicas.store(region)
  let scrub = from
  for await (const { digest } of store.list(after as Digest)) {
    const bytes = await mender.check(region, digest, pace)
    scrub = {
      ...scrub,
      position: writePosition({ region, among: 'files', after: digest }),
      blobs: scrub.blobs + 1,
      bytes: scrub.bytes + bytes,
    }
    if (isOver()) return scrub
  }
  return { ...scrub, position: writePosition({ region, among: 'rows', after: '' }) }
}

async function readRows(
  ports: ScrubPorts,
  scrub: Scrub,
  { region, after }: ScrubPosition,
): Promise<Scrub> {
  const last = await lookForMissing(ports, { region, after, limit: MISSING_BATCH })
  if (last === undefined) return goToNext(ports, scrub, region)
  return { ...scrub, position: writePosition({ region, among: 'rows', after: last }) }
}

/** The home comes first, and then the regions by their names. */
async function goToNext(
  { database, replicas, clock }: ScrubPorts,
  scrub: Scrub,
  region: string,
): Promise<Scrub> {
  const rows = await database.selectFrom('registry_replicas').select('region').distinct().execute()
  const regions = [...(await replicas.regions()), ...rows.map((row) => row.region)].toSorted()
  const next = regions.find((each) => region === HOME || each > region)
  if (next === undefined) return { ...scrub, finished_at: clock.now().toISOString() }
  return { ...scrub, position: writePosition({ region: next, among: 'files', after: '' }) }
}
