import type { Logger } from 'pino'
import type { Collector } from './create-collector.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Runs the collector at once and then again after each interval, with a sweep at the beginning and once a day. Nothing waits
 * for it. Returns what ends it: after that nothing of it runs.
 */
export function runCollector(options: {
  readonly collector: Pick<Collector, 'collect'>
  readonly intervalMs: number
  /** Is aborted to end it: the collector looks at its signal. */
  readonly end: AbortController
  readonly log: Pick<Logger, 'info' | 'error'>
}): () => Promise<void> {
  const { collector, intervalMs, end, log } = options
  let sweptAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = run()

  async function run(): Promise<void> {
    const now = performance.now()
    const sweeps = now - sweptAt >= DAY_MS
    try {
      const { held, ...done } = await collector.collect({ sweeps })
      if (sweeps) sweptAt = now
      const hasDone = Object.values(done).some((count) => count > 0)
      if (hasDone) log.info({ ...done, held }, 'garbage was collected')
    } catch (error) {
      if (end.signal.aborted) return
      // What it did not do is still in its queue.
      log.error({ err: error }, 'garbage could not be collected')
    }
    if (end.signal.aborted) return
    timer = setTimeout(() => {
      running = run()
    }, intervalMs)
    timer.unref()
  }

  return async () => {
    end.abort()
    clearTimeout(timer)
    await running
  }
}
