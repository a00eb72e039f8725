/** What has to be ended, in reverse order of its start. */
export interface Closing {
  add(end: () => Promise<void> | void): void
  /** Ends everything, also when a part fails; then throws the first failure. A second call does nothing. */
  close(): Promise<void>
}

export function createClosing(): Closing {
  const ends: (() => Promise<void> | void)[] = []
  return {
    add: (end) => void ends.push(end),
    async close() {
      const failures: unknown[] = []
      for (let end = ends.pop(); end; end = ends.pop()) {
        try {
          await end()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
