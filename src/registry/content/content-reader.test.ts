import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../storage/database.ts'
import { createContentReader } from './content-reader.ts'

test('a blob counts once in a registry, in however many repositories it is', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-usage-'))
  const database = await openDatabase(join(folder, 'causeway.db'))
  t.after(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })
  const created_at = '2026-01-01T00:00:00Z'
  for (const [registry, repository, digest, size] of [
    ['r1', 'app', 'sha256:a', 100],
    ['r1', 'copy', 'sha256:a', 100],
    ['r1', 'app', 'sha256:b', 10],
    ['r2', 'app', 'sha256:a', 100],
  ] as const) {
    await database.kysely
      .insertInto('registry_repositories')
      .values({ registry, name: repository, created_at, updated_at: created_at })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    await database.kysely
      .insertInto('registry_blob_links')
      .values({ registry, repository, digest, size, created_at })
      .execute()
  }
  const reader = createContentReader(database.reader)
  assert.equal(reader.storedBytes('r1'), 110)
  assert.equal(reader.storedBytes('empty'), 0)
})
