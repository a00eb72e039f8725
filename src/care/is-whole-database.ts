import { DatabaseSync } from 'node:sqlite'
import { readSchemaRecord } from '../storage/schema-record.ts'

/** Reads every page of a file. False where it is damaged, or no database of Causeway. */
export function isWholeDatabase(file: string): boolean {
  try {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      return (
        readSchemaRecord(database) !== undefined &&
        database.prepare('PRAGMA quick_check').get()?.quick_check === 'ok'
      )
    } finally {
      database.close()
    }
  } catch {
    return false
  }
}
