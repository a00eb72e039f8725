export interface Coalesced {
  /** Resolves when a run that began after this call has ended; rejects as that run does. */
  run(): Promise<void>
  /** Resolves when nothing runs and nothing waits to. */
  idle(): Promise<void>
}

/** Lets `work` run one at a time; calls made during a run share the one that follows it. */
export function coalesce(work: () => Promise<void>): Coalesced {
  let current: Promise<unknown> = Promise.resolve()
  let next: Promise<void> | undefined

  function run(): Promise<void> {
    if (next) return next
    const promise = current.then(() => {
      next = undefined
      const running = work()
      current = running.catch(() => {})
      return running
    })
    next = promise
    return promise
  }

  return {
    run,
    async idle() {
      while (next) await next.catch(() => {})
      await current
    },
  }
}
