import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { openDatabase } from '../../storage/database.ts'
import { createContentReader } from './content-reader.ts'

async function openEmpty(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-content-'))
  const database = await openDatabase(join(folder, 'causeway.db'))
  t.after(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })
  return database
}

test('a blob counts once in a registry, in however many repositories it is', async (t) => {
  const database = await openEmpty(t)
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

test('referrers and the sources of a mount are found by an index of their own', async (t) => {
  const { reader } = await openEmpty(t)
  const asked: string[] = []
  const prepare = reader.prepare.bind(reader)
  t.mock.method(reader, 'prepare', (sql: string) => {
    asked.push(sql)
    return prepare(sql)
  })
  const content = createContentReader(reader)
  asked.length = 0
  const digest = digestOf(Buffer.from('x'))
  content.referrers('r1', 'app', digest, { n: 1, last: '' })
  content.referrers('r1', 'app', digest, { n: 1, last: '', artifactType: 'a/b' })
  content.repositoriesWithBlob('r1', digest, 1)
  const plans = asked.map((sql) => prepare(`EXPLAIN QUERY PLAN ${sql}`).all()[0]?.detail)
  assert.match(String(plans[0]), /INDEX registry_manifests_subject /)
  assert.match(String(plans[1]), /INDEX registry_manifests_subject /)
  assert.match(String(plans[2]), /INDEX registry_blob_links_digest /)
})
