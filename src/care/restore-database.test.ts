import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type DataFolder,
  lockDataFolder,
  makeDataFolder,
  openInstallation,
} from '../storage/data-folder.ts'
import { openDatabase } from '../storage/database.ts'
import { MIGRATIONS, type Migrations } from '../storage/migrations.ts'
import { listBackups } from '../storage/upgrade-backup.ts'
import { isDatabase, restoreDatabase } from './restore-database.ts'

const LATER: Migrations = { ...MIGRATIONS, '9999-later': { up: () => Promise.resolve() } }

/** A data folder that a later version has upgraded and written to; `backup` is from before. */
async function upgradedFolder(t: TestContext): Promise<{ folder: DataFolder; backup: string }> {
  const root = await mkdtemp(join(tmpdir(), 'causeway-restore-'))
  t.after(() => rm(root, { recursive: true }))
  const folder = await makeDataFolder(join(root, 'data'))
  await openInstallation(folder)
  await (await openDatabase(folder.database, { version: '1.0.0' })).close()
  const later = await openDatabase(folder.database, { version: '2.0.0', migrations: LATER })
  await later.kysely
    .insertInto('provider_registrations')
    .values({ namespace_key: 'later', state: 'Registered' })
    .execute()
  await later.close()
  const [backup] = await listBackups(folder.backups)
  assert.ok(backup)
  return { folder, backup: backup.file }
}

async function registrationsOf(file: string, migrations: Migrations): Promise<readonly string[]> {
  const { kysely, close } = await openDatabase(file, { version: '1.0.0', migrations })
  const rows = await kysely.selectFrom('provider_registrations').selectAll().execute()
  await close()
  return rows.map((row) => row.namespace_key)
}

test('the database from before an upgrade takes the place of the present one, which is kept', async (t) => {
  const { folder, backup } = await upgradedFolder(t)
  assert.equal(await isDatabase(backup), true)
  await assert.rejects(openDatabase(folder.database), { name: 'DataTooNew' })
  const present = await restoreDatabase(backup, folder)
  assert.deepEqual(await registrationsOf(folder.database, MIGRATIONS), [])
  assert.equal((await stat(folder.database)).mode & 0o777, 0o600)
  assert.match(present, /backups\/causeway-2\.0\.0-schema-9999-/)
  assert.deepEqual(
    (await readdir(folder.backups)).map((name) => join(folder.backups, name)),
    [backup, present],
  )

  lockDataFolder(folder).release()
  await assert.rejects(restoreDatabase(present, folder), { name: 'DataTooNew' })
  assert.deepEqual(await registrationsOf(present, LATER), ['later'])
})

test('what a crash left in the journal of the present database is kept with it, and not taken for the other one', async (t) => {
  const { folder, backup } = await upgradedFolder(t)
  const crashed = await makeDataFolder(join(folder.path, 'crashed'))
  const { kysely, close } = await openDatabase(folder.database, {
    version: '2.0.0',
    migrations: LATER,
  })
  await kysely.updateTable('provider_registrations').set({ namespace_key: 'journal' }).execute()
  for (const suffix of ['', '-wal']) {
    await copyFile(`${folder.database}${suffix}`, `${crashed.database}${suffix}`)
  }
  await close()
  const present = await restoreDatabase(backup, crashed)
  assert.deepEqual(await registrationsOf(crashed.database, MIGRATIONS), [])
  assert.deepEqual(await registrationsOf(present, LATER), ['journal'])
})

test('a folder that is served, a damaged file and a folder without a database are refused', async (t) => {
  const { folder, backup } = await upgradedFolder(t)
  const lock = lockDataFolder(folder)
  await assert.rejects(restoreDatabase(backup, folder), { name: 'DataFolderInUse' })
  lock.release()
  const damaged = join(folder.backups, 'damaged.db')
  await writeFile(damaged, 'SQLite format 3\0 and then nothing that it could be')
  assert.equal(await isDatabase(damaged), true)
  await assert.rejects(restoreDatabase(damaged, folder), { name: 'NotRestorable' })
  const empty = await makeDataFolder(join(folder.path, 'other'))
  await assert.rejects(restoreDatabase(backup, empty), /without its keys and images/)
})
