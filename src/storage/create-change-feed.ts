import type { Logger } from 'pino'
import type { ChangeFeed, ChangeListener } from './change-feed.ts'

/** The feed of one process: listeners are called in turn, and one that fails is logged and passed over. */
export function createChangeFeed(options: { readonly log: Logger }): ChangeFeed {
  const listeners = new Set<ChangeListener>()
  return {
    subscribe(listener) {
      // A wrapper of its own, so that one function may subscribe twice.
      const entry: ChangeListener = (changes) => listener(changes)
      listeners.add(entry)
      return () => {
        listeners.delete(entry)
      }
    },
    async publish(changes) {
      if (changes.length === 0) return
      for (const listener of [...listeners]) {
        try {
          await listener(changes)
        } catch (error) {
          options.log.error({ err: error, changes: changes.length }, 'a change was not followed')
        }
      }
    },
  }
}
