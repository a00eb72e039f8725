import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sql } from 'kysely'
import { isStorageFull } from './blob-store.ts'
import { openDatabase } from './database.ts'

async function temporaryFile(t: { after(hook: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-database-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'causeway.db')
}

test('a data file opens again after it was closed', async (t) => {
  const file = await temporaryFile(t)
  await (await openDatabase(file)).close()
  const again = await openDatabase(file)
  assert.equal(again.reader.prepare('SELECT 1 AS one').get()?.one, 1)
  await again.close()
})

test('a data file of a newer version is refused and left as it is', async (t) => {
  const file = await temporaryFile(t)
  await (await openDatabase(file)).close()
  const raw = new DatabaseSync(file)
  raw.exec("INSERT INTO kysely_migration VALUES ('9999-from-the-future', '2099-01-01T00:00:00Z')")
  const rows = () => raw.prepare('SELECT count(*) AS rows FROM kysely_migration').get()?.rows
  const before = rows()
  await assert.rejects(openDatabase(file), { name: 'DataTooNew', message: /9999-from-the-future/ })
  assert.equal(rows(), before)
  raw.close()
})

test('a transaction for which there is no room fails for that reason, and the next one is made', async (t) => {
  const { kysely, close } = await openDatabase(await temporaryFile(t))
  t.after(close)
  await sql`CREATE TABLE notes (text TEXT)`.execute(kysely)
  const write = (text: string) =>
    kysely
      .transaction()
      .execute((transaction) => sql`INSERT INTO notes VALUES (${text})`.execute(transaction))
  await sql`PRAGMA max_page_count = 1`.execute(kysely)
  await assert.rejects(write('long'.repeat(100_000)), isStorageFull)
  await write('short')
})
