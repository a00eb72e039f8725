import { setTimeout as delay } from 'node:timers/promises'
import { type Hope, ImageCopyError } from './image-copy.ts'

/** Between the tries for one manifest or blob, in milliseconds: one try more than there are pauses. */
export const PAUSES: readonly number[] = [500, 2_000, 8_000]
/** A source that wants to be left alone for longer than this is not waited for. */
const RETRY_AFTER_SECONDS_MAX = 60

export interface TryAgainOptions {
  readonly pauses: readonly number[]
  readonly hopes: readonly Hope[]
  readonly signal?: AbortSignal | undefined
  /** Whether the failed try brought enough to count as the first one again. */
  readonly hasProgressed?: () => boolean
}

/**
 * Does work that a source may make fail for a moment, a bounded number of times.
 *
 * @throws what the last try threw, or what `signal` was aborted with
 */
export async function tryAgain<T>(
  work: () => Promise<T>,
  { pauses, hopes, signal, hasProgressed = () => false }: TryAgainOptions,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      if (hasProgressed()) failures = 0
      const pause = pauses[failures]
      const isHopeful = error instanceof ImageCopyError && hopes.includes(error.hope)
      if (pause === undefined || !isHopeful) throw error
      const asked = error.retryAfterSeconds ?? 0
      if (asked > RETRY_AFTER_SECONDS_MAX) throw error
      failures += 1
      await delay(Math.max(pause, asked * 1000), undefined, { ...(signal && { signal }) }).catch(
        () => signal?.throwIfAborted(),
      )
    }
  }
}
