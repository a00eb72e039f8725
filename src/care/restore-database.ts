import { chown, link, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { exists } from '../lib/exists.ts'
import { syncFolder } from '../lib/files.ts'
import { copyDatabase } from '../storage/copy-database.ts'
import { type DataFolder, lockDataFolder } from '../storage/data-folder.ts'
import { refuseNewer } from '../storage/data-too-new.ts'
import { readSchemaRecord } from '../storage/schema-record.ts'
import { nameBackup } from '../storage/upgrade-backup.ts'
import { isWholeDatabase } from './is-whole-database.ts'
import { NotRestorable } from './not-restorable.ts'

// https://www.sqlite.org/fileformat.html#magic_header_string
const MAGIC = Buffer.from('SQLite format 3\0')

/** Whether a file is a database, as an upgrade leaves one behind, and no archive. @throws NotRestorable */
export async function isDatabase(file: string): Promise<boolean> {
  const handle = await open(file).catch((cause) => {
    throw new NotRestorable(`${file} cannot be read.`, { cause })
  })
  try {
    const { buffer } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0)
    return buffer.equals(MAGIC)
  } finally {
    await handle.close()
  }
}

/**
 * Puts the database from before an upgrade in the place of the present one, which is kept in the folder's backups.
 * Whatever ends the process meanwhile, one of the two is there whole. Returns where the other one is.
 *
 * @throws NotRestorable, DataFolderInUse, and DataTooNew where this version could not serve the result.
 */
export async function restoreDatabase(file: string, folder: DataFolder): Promise<string> {
  await refuseNewer(file)
  if (!isWholeDatabase(file))
    throw new NotRestorable(`${file} is damaged, or no database of Causeway.`)
  if (!(await exists(folder.database))) {
    throw new NotRestorable(
      `${file} is a database without its keys and images: --data names the data folder that it comes from.`,
    )
  }
  const lock = lockDataFolder(folder)
  const draft = `${folder.database}.draft`
  try {
    await copyDatabase(file, draft)
    const { uid, gid } = await stat(folder.database)
    if (process.geteuid?.() === 0) await chown(draft, uid, gid)
    const present = await nameBackup(folder.backups, endJournal(folder), new Date())
    await link(folder.database, present)
    await rename(draft, folder.database)
    await syncFolder(dirname(folder.database))
    return present
  } finally {
    await rm(draft, { force: true })
    lock.release()
  }
}

/** Brings everything of the present database into its file: a journal that stayed would be taken for the other's. */
function endJournal(folder: DataFolder): ReturnType<typeof recordOf> {
  const database = new DatabaseSync(folder.database)
  try {
    database.exec('PRAGMA journal_mode=DELETE')
    return recordOf(database)
  } catch (cause) {
    throw new NotRestorable(
      `The present database ${folder.database} cannot be read; move it and its '-wal' and '-shm' elsewhere, ` +
        'and put the other in its place.',
      { cause },
    )
  } finally {
    database.close()
  }
}

const recordOf = (database: DatabaseSync) =>
  readSchemaRecord(database) ?? { migrations: [], version: 'unknown', isNoted: false }
