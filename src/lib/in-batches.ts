import { setImmediate } from 'node:timers/promises'

/**
 * Does one piece of work for all items that come while the one before is done: many small commits become few.
 * When a batch fails, each of its callers gets the failure.
 */
export function inBatches<T>(
  work: (items: readonly T[]) => Promise<void>,
): (item: T) => Promise<void> {
  let waiting: { item: T; resolve: () => void; reject: (error: unknown) => void }[] = []
  let isRunning = false

  async function run(): Promise<void> {
    isRunning = true
    while (waiting.length > 0) {
      // Whoever is ready in this turn of the event loop comes along.
      await setImmediate()
      const batch = waiting
      waiting = []
      try {
        await work(batch.map(({ item }) => item))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isRunning = false
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!isRunning) void run()
    })
}
