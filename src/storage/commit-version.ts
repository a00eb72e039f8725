import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

/** What changes whenever anything was committed to a database, in whatever process. */
export interface CommitVersion {
  /**
   * The same number as before: nothing was committed in between. Undefined while something may be about to be, when what is
   * read must not be remembered.
   */
  now(): number | undefined
}

/** The version as the one process has it that writes. */
export interface CommitCounter extends CommitVersion {
  /** Runs what commits, and counts it before anybody is told of it. @throws what `commit` throws, and Error where nothing can be counted: then it is not run */
  around<T>(commit: () => T): T
  close(): void
}

const BYTES = Float64Array.BYTES_PER_ELEMENT
const MODE = 0o600
const fileOf = (database: string): string => `${database}-commits`

// One for each connection, whoever asks.
const versions = new WeakMap<DatabaseSync, CommitVersion>()

/** Says by what the version of a connection that only reads is known. */
export function setCommitVersion(reader: DatabaseSync, version: CommitVersion): void {
  versions.set(reader, version)
}

/** The version of the database behind a connection of `openDatabase` or `openReader`. */
export function commitVersionOf(reader: DatabaseSync): CommitVersion {
  const version = versions.get(reader)
  if (!version) throw new Error('a connection of which nobody counts the commits')
  return version
}

/**
 * Counts commits in a file beside the database, where other processes see the number. SQLite knows it as well (`PRAGMA
 * data_version`), but takes three times as long to say so, since it locks the database to look.
 *
 * A commit is announced by an odd number and counted by the next even one. Should the disk fail in between, what was
 * committed stays so, and others remember nothing until a commit is counted again.
 */
export function createCommitCounter(database: string): CommitCounter {
  const file = openSync(fileOf(database), constants.O_RDWR | constants.O_CREAT, MODE)
  const written = new Float64Array(1)
  // No number that an earlier process has counted to.
  let count = Date.now() * 2
  const write = (number: number) => {
    written[0] = number
    writeSync(file, written, 0, BYTES, 0)
  }
  write(count)
  let isAnnounced = false
  return {
    now: () => count,
    around(commit) {
      if (!isAnnounced) write(count + 1)
      isAnnounced = true
      try {
        return commit()
      } finally {
        count += 2
        try {
          write(count)
          isAnnounced = false
        } catch {
          // Announced it stays.
        }
      }
    },
    close: () => closeSync(file),
  }
}

/**
 * The version as a process sees it that only reads. It looks once for all that runs before the next event is taken: no news
 * of a commit can come in between. The file stays open until the process ends.
 *
 * @throws where no process has counted
 */
export function readCommitVersion(database: string): CommitVersion {
  const file = openSync(fileOf(database), 'r')
  const count = new Float64Array(1)
  let isRead = false
  // After the last of the promises that are settled by now.
  const lookAgain = () => {
    isRead = false
  }
  return {
    now() {
      if (!isRead) {
        readSync(file, count, 0, BYTES, 0)
        isRead = true
        process.nextTick(lookAgain)
      }
      const [number = 0] = count
      return number % 2 === 0 ? number : undefined
    },
  }
}
