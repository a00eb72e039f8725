import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { openDatabase } from '../database.ts'
import { MIGRATIONS } from '../migrations.ts'

test('content from before is taken up: what nothing needs, what has no tag, and layers from elsewhere', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-lifecycle-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'causeway.db')
  const before = Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => name < '0006'))
  const old = await openDatabase(file, { migrations: before })
  const at = '2026-01-01T00:00:00.000Z'
  for (const digest of ['needed', 'unused', 'foreign']) {
    await sql`INSERT INTO registry_blob_links (registry, repository, digest, size, created_at)
      VALUES ('r', 'app', ${digest}, 1, ${at})`.execute(old.kysely)
  }
  for (const digest of ['tagged', 'untagged']) {
    const content = Buffer.from(digest === 'tagged' ? '{"layers":["foreign"]}' : '{}')
    await sql`INSERT INTO registry_manifests
      (registry, repository, digest, media_type, image_size, content, created_at, updated_at)
      VALUES ('r', 'app', ${digest}, 'm', 1, ${content}, ${at}, ${at})`.execute(old.kysely)
  }
  await sql`INSERT INTO registry_tags (registry, repository, name, digest, created_at, updated_at)
    VALUES ('r', 'app', 'v1', 'tagged', ${at}, ${at})`.execute(old.kysely)
  await sql`INSERT INTO registry_manifest_references (registry, repository, digest, child, child_kind)
    VALUES ('r', 'app', 'tagged', 'needed', 'blob')`.execute(old.kysely)
  await old.close()

  const { reader, close } = await openDatabase(file)
  t.after(close)
  const digests = (table: string, column = 'digest') =>
    reader
      .prepare(`SELECT ${column} AS value FROM ${table} ORDER BY value`)
      .all()
      .map(({ value }) => value)
  assert.deepEqual(digests('registry_blob_reviews'), ['unused'])
  assert.deepEqual(digests('registry_untagged_manifests'), ['untagged'])
  assert.deepEqual(digests('registry_manifest_references', 'child'), ['foreign', 'needed'])
  const [since] = digests('registry_blob_reviews', 'since')
  assert.ok(Math.abs(Date.parse(String(since)) - Date.now()) < 60_000, String(since))
})
