import { chownSync, closeSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { DataFolder } from './data-folder.ts'

/**
 * Keeps blobs from being removed while somebody copies the data folder, across processes: whoever removes holds an
 * SQLite lock alone, whoever copies shares it. The kernel drops it with its process, however that ends.
 */

/** How long one who copies waits for a batch of removals to end. */
const PATIENCE_MS = 60_000

/** Opens it, as a file of the folder's owner also where root makes it. */
function openLock({ run }: Pick<DataFolder, 'run'>): DatabaseSync {
  const file = join(run, 'removals.db')
  closeSync(openSync(file, 'a', 0o600))
  const { uid, gid } = statSync(run)
  if (process.geteuid?.() === 0) chownSync(file, uid, gid)
  return new DatabaseSync(file)
}

/** No blob is removed until `release`. */
export function holdRemovals(folder: Pick<DataFolder, 'run'>): { release(): void } {
  const lock = openLock(folder)
  try {
    lock.exec(`PRAGMA busy_timeout=${PATIENCE_MS}; BEGIN; SELECT count(*) FROM sqlite_schema`)
  } catch (error) {
    lock.close()
    throw error
  }
  return { release: () => lock.close() }
}

export interface RemovalLock {
  /** Removes alone, or not at all: undefined while somebody holds removals. */
  whileHeld<T>(remove: () => Promise<T>): Promise<T | undefined>
  close(): void
}

export function openRemovalLock(folder: Pick<DataFolder, 'run'>): RemovalLock {
  const lock = openLock(folder)
  // Two ends of the same process must not wait for each other.
  lock.exec('PRAGMA busy_timeout=0')
  return {
    async whileHeld(remove) {
      try {
        lock.exec('BEGIN EXCLUSIVE')
      } catch (error) {
        if (error instanceof Error && /locked/.test(error.message)) return undefined
        throw error
      }
      try {
        return await remove()
      } finally {
        lock.exec('ROLLBACK')
      }
    },
    close: () => lock.close(),
  }
}
