import type { DatabaseSync } from 'node:sqlite'

/** What changes whenever anybody has committed anything, in whatever process. */
export interface CommitVersion {
  /** The same number as before: nothing was committed in between. */
  now(): number
  /** To be called when this process may have committed. */
  lookAgain(): void
}

// One for each connection, whoever asks.
const versions = new WeakMap<DatabaseSync, CommitVersion>()

/**
 * The version of the database as a connection that never writes sees it.
 *
 * Asking costs half of what a cheap statement does, so it is done once for all that runs before the next event is taken:
 * no news of another process's commit can come in between, and of this one's `lookAgain` tells.
 * https://www.sqlite.org/pragma.html#pragma_data_version
 */
export function commitVersionOf(reader: DatabaseSync): CommitVersion {
  const known = versions.get(reader)
  if (known) return known
  const statement = reader.prepare('PRAGMA data_version')
  statement.setReturnArrays(true)
  let version: number | undefined
  const lookAgain = () => {
    version = undefined
  }
  const made: CommitVersion = {
    lookAgain,
    now() {
      if (version !== undefined) return version
      const [read] = statement.get() as unknown as readonly [number]
      version = read
      // After the last of the promises that are settled by now.
      process.nextTick(lookAgain)
      return read
    },
  }
  versions.set(reader, made)
  return made
}
