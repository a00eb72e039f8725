import { DatabaseSync } from 'node:sqlite'

/** Holds a lock until `release`, or until the process ends in whatever way. */
export interface HeldLock {
  release(): void
}

/** Takes the lock of that file; undefined where another process has it. */
export function holdLock(file: string): HeldLock | undefined {
  // The kernel drops an SQLite lock with its process, so a crash leaves nothing to clean up.
  const lock = new DatabaseSync(file)
  try {
    lock.exec('PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Error && /locked/.test(error.message)) return undefined
    throw error
  }
  return { release: () => lock.close() }
}
