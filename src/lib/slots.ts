/** Runs at most `count` pieces of work at a time, in the order in which they came. */
export function createSlots(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = count
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      // A slot is handed on, so that nobody who comes later gets before those who wait.
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
