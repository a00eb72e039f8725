import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'

/** Longer timers overflow, and a clock that was set should not be waited for. */
const TIMER_MS_MAX = 60_000
const AFTER_FAILURE_MS = 1000

/** Works for many at once and for each in order: who is slow delays nobody else. */
export interface Lanes {
  /** Takes up what was left at the last end. */
  start(): void
  /** Looks for work in these, soon. */
  wake(lanes: Iterable<string>): void
  /** Ends what is under way. */
  close(): Promise<void>
}

export interface LaneWork {
  /** The lanes in which there is something to do, now or later. */
  all(): Promise<readonly string[]>
  /** Does the next piece of work; false where none is due. Throws the signal's reason when it is aborted. */
  next(lane: string, signal: AbortSignal): Promise<boolean>
  /** When there is something to do next, ISO 8601; undefined where there is nothing. */
  dueAt(lane: string): Promise<string | undefined>
}

export function createLanes(options: {
  readonly work: LaneWork
  readonly clock: Clock
  readonly log: Pick<Logger, 'error'>
}): Lanes {
  const { work, clock, log } = options
  const running = new Map<string, Promise<void>>()
  const timers = new Map<string, NodeJS.Timeout>()
  const closing = new AbortController()
  const { signal } = closing
  let starting: Promise<void> | undefined

  function runIn(lane: string, milliseconds: number): void {
    clearTimeout(timers.get(lane))
    if (signal.aborted) return
    const begin = () => {
      timers.delete(lane)
      run(lane)
    }
    timers.set(lane, setTimeout(begin, milliseconds).unref())
  }

  /** One that runs already looks again before it ends. */
  function run(lane: string): void {
    if (signal.aborted || running.has(lane)) return
    running.set(lane, runToEnd(lane))
  }

  async function runToEnd(lane: string): Promise<void> {
    try {
      while (!signal.aborted && (await work.next(lane, signal))) {}
      running.delete(lane)
      const dueAt = await work.dueAt(lane)
      if (dueAt === undefined) return
      const wait = Date.parse(dueAt) - clock.now().getTime()
      runIn(lane, Math.max(0, Math.min(wait, TIMER_MS_MAX)))
    } catch (error) {
      running.delete(lane)
      if (signal.aborted) return
      log.error({ err: error, webhook: lane }, 'a webhook could not be told')
      runIn(lane, AFTER_FAILURE_MS)
    }
  }

  async function startAll(): Promise<void> {
    try {
      for (const lane of await work.all()) run(lane)
    } catch (error) {
      log.error({ err: error }, 'the queue of webhooks could not be read')
    }
  }

  return {
    start() {
      starting = startAll()
    },
    wake(lanes) {
      for (const lane of lanes) run(lane)
    },
    async close() {
      closing.abort(new Error('the server ends'))
      for (const timer of timers.values()) clearTimeout(timer)
      await starting
      await Promise.all(running.values())
    },
  }
}
