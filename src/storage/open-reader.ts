import { DatabaseSync } from 'node:sqlite'

/** A further connection to the metadata store, that only reads and sees what is committed, in whatever process. */
export function openReader(file: string): DatabaseSync {
  const reader = new DatabaseSync(file, { readOnly: true })
  reader.exec('PRAGMA busy_timeout=5000')
  return reader
}
