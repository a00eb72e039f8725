import { DatabaseSync } from 'node:sqlite'
import { readCommitVersion, setCommitVersion } from './commit-version.ts'

/** A further connection to the metadata store, that only reads and sees what is committed. Another process writes. */
export function openReader(file: string): DatabaseSync {
  const reader = connectReader(file)
  setCommitVersion(reader, readCommitVersion(file))
  return reader
}

/** The connection alone, for the process that writes. */
export function connectReader(file: string): DatabaseSync {
  const reader = new DatabaseSync(file, { readOnly: true })
  reader.exec('PRAGMA busy_timeout=5000')
  return reader
}
