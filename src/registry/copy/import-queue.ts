import type { Logger } from 'pino'
import type { Clock } from '../../lib/clock.ts'
import { createSlots } from '../../lib/slots.ts'
import type { CopyProgress } from './fetch-image.ts'
import type { CopyErrand, ImageCopy } from './image-copy.ts'

/** Images that come from elsewhere at the same time; the others wait. */
const IMPORTS_AT_ONCE = 4

/** An image on its way here. `blobs` and `bytes` are of what was lacking when it began. */
export interface RunningImport {
  /** `host/repository:tag`, or by digest. */
  readonly from: string
  readonly to: readonly string[]
  readonly who: string
  readonly state: 'waiting' | 'running'
  readonly since: string
  readonly blobs: { readonly done: number; readonly of: number }
  readonly bytes: { readonly done: number; readonly of: number }
}

export interface ImportQueue {
  /** Runs a copy: one from elsewhere when it is its turn, one from a registry of ours at once. @throws what `work` throws, and what the errand was ended with */
  run(
    copy: ImageCopy,
    errand: CopyErrand,
    work: (progress: CopyProgress) => Promise<void>,
  ): Promise<void>
  list(): readonly RunningImport[]
}

/** Lets a few imports from elsewhere run at a time and tells how far they are: in the log, and to who asks. */
export function createImportQueue(log: Pick<Logger, 'info'>, clock: Clock): ImportQueue {
  const inSlot = createSlots(IMPORTS_AT_ONCE)
  const running = new Set<RunningImport>()

  const inTurn = (copy: ImageCopy, work: () => Promise<void>): Promise<void> =>
    'host' in copy.from ? inSlot(work) : work()

  async function run(...[copy, errand, work]: Parameters<ImportQueue['run']>): Promise<void> {
    let entry = entryOf(copy, errand, clock)
    const change = (more: Partial<RunningImport>): void => {
      running.delete(entry)
      entry = { ...entry, ...more }
      running.add(entry)
    }
    const note = (message: string, more: Record<string, unknown> = {}): void => {
      const { from, to, who, blobs, bytes } = entry
      log.info({ from, to, who, blobs, bytes, ...more }, message)
    }
    running.add(entry)
    try {
      await inTurn(copy, async () => {
        errand.signal?.throwIfAborted()
        change({ state: 'running' })
        note('import begun')
        await work({
          expect(blobs, bytes) {
            change({ blobs: { done: 0, of: blobs }, bytes: { done: 0, of: bytes } })
          },
          arrived(size) {
            const { blobs, bytes } = entry
            change({
              blobs: { ...blobs, done: blobs.done + 1 },
              bytes: { ...bytes, done: bytes.done + size },
            })
            note('import goes on')
          },
        })
      })
      note('import done')
    } catch (error) {
      note('import ended', { reason: error instanceof Error ? error.message : String(error) })
      throw error
    } finally {
      running.delete(entry)
    }
  }

  return { run, list: () => [...running] }
}

function entryOf(copy: ImageCopy, { who }: CopyErrand, clock: Clock): RunningImport {
  const { from, sourceImage, targetTags, untaggedTargetRepositories } = copy
  return {
    from: 'host' in from ? `${from.host}/${sourceImage}` : sourceImage,
    to: [...targetTags, ...untaggedTargetRepositories],
    who,
    state: 'waiting',
    since: clock.now().toISOString(),
    blobs: { done: 0, of: 0 },
    bytes: { done: 0, of: 0 },
  }
}
