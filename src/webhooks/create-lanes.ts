import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'

/** Longer timers overflow, and a clock that was set should not be waited for. */
const TIMER_MS_MAX = 60_000
const AFTER_FAILURE_MS = 1000

/** Works for many at once and for each in order: who is slow delays nobody else. */
export interface Lanes {
  /** Looks for what is due, soon. */
  wake(): void
  /** Ends what is under way. */
  close(): Promise<void>
}

export function createLanes(options: {
  /** Who has something to do, and when. */
  readonly due: () => Promise<readonly { readonly webhook: string; readonly dueAt: string }[]>
  /** Does one piece of work; false where there is none. Throws the signal's reason when it is aborted. */
  readonly work: (webhook: string, signal: AbortSignal) => Promise<boolean>
  readonly clock: Clock
  readonly log: Pick<Logger, 'error'>
}): Lanes {
  const { due, work, clock, log } = options
  const running = new Map<string, Promise<void>>()
  const closing = new AbortController()
  const { signal } = closing
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let isAsked = false

  function wakeIn(milliseconds: number): void {
    clearTimeout(timer)
    if (!signal.aborted) timer = setTimeout(wake, milliseconds).unref()
  }

  function wake(): void {
    isAsked = true
    if (signal.aborted) return
    looking ??= look().finally(() => {
      looking = undefined
    })
  }

  async function look(): Promise<void> {
    // Asked again meanwhile, it looks again: what was committed in between is not in the first answer.
    while (isAsked && !signal.aborted) {
      isAsked = false
      try {
        start(await due())
      } catch (error) {
        log.error({ err: error }, 'the queue of webhooks could not be read')
        wakeIn(AFTER_FAILURE_MS)
        return
      }
    }
  }

  function start(waiting: Awaited<ReturnType<typeof due>>): void {
    const now = clock.now().getTime()
    let next = TIMER_MS_MAX
    for (const { webhook, dueAt } of waiting) {
      if (running.has(webhook)) continue
      const wait = Date.parse(dueAt) - now
      if (wait > 0) next = Math.min(next, wait)
      else running.set(webhook, run(webhook))
    }
    if (waiting.length > 0) wakeIn(next)
  }

  async function run(webhook: string): Promise<void> {
    try {
      while (!signal.aborted && (await work(webhook, signal))) {}
    } catch (error) {
      if (signal.aborted) return
      log.error({ err: error, webhook }, 'a webhook could not be told')
      await new Promise((resolve) => setTimeout(resolve, AFTER_FAILURE_MS))
    } finally {
      running.delete(webhook)
      wake()
    }
  }

  return {
    wake,
    async close() {
      closing.abort(new Error('the server ends'))
      clearTimeout(timer)
      await looking
      await Promise.all(running.values())
    },
  }
}
