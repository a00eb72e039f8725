import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { CannotStart } from '../lib/cannot-start.ts'
import { exists } from '../lib/exists.ts'
import { MIGRATIONS, type Migrations } from './migrations.ts'
import { readSchemaRecord, type SchemaRecord, schemaNumber } from './schema-record.ts'
import { listBackups } from './upgrade-backup.ts'

/** The database was written by a later version of Causeway, and was not touched. */
export class DataTooNew extends CannotStart {
  override readonly name = 'DataTooNew'
}

/**
 * Refuses a database that has been through migrations which this version does not know. Reads only, and before anything
 * else of the data folder is read: its other files may have another form as well.
 *
 * @throws DataTooNew
 */
export async function refuseNewer(
  file: string,
  migrations: Migrations = MIGRATIONS,
): Promise<void> {
  const record = (await exists(file)) ? await readRecordOf(file) : undefined
  if (!record || record.migrations.every((name) => name in migrations)) return
  throw new DataTooNew(await explain(file, record, migrations))
}

/** Undefined also where it is no database: what opens it says so in better words. */
async function readRecordOf(file: string): Promise<SchemaRecord | undefined> {
  const location = pathToFileURL(file)
  // Without a journal nothing is to be recovered, and reading need not leave an empty one behind.
  if (!(await exists(`${file}-wal`))) location.searchParams.set('immutable', '1')
  try {
    const database = new DatabaseSync(location, { readOnly: true })
    try {
      return readSchemaRecord(database)
    } finally {
      database.close()
    }
  } catch {
    return undefined
  }
}

async function explain(
  file: string,
  record: SchemaRecord,
  migrations: Migrations,
): Promise<string> {
  const known = schemaNumber(Object.keys(migrations))
  const usable = (await listBackups(join(dirname(file), 'backups'))).find(
    ({ schema }) => schema <= known,
  )
  const back = usable
    ? `go back to the database from before its upgrade with 'causeway restore ${usable.file}'`
    : "'causeway restore' a backup of this version into another folder"
  return (
    `${file} was written by Causeway ${record.version} (schema ${schemaNumber(record.migrations)}: ` +
    `${record.migrations.at(-1)}); this version knows schema ${known} at most, and changed nothing. ` +
    `Start version ${record.version} or a later one, or ${back}.`
  )
}
