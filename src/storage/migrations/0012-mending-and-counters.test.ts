import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { openDatabase } from '../database.ts'
import { MIGRATIONS } from '../migrations.ts'

test('content from before is counted, and counted on from there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-counters-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'causeway.db')
  const before = Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => name < '0012'))
  const old = await openDatabase(file, { migrations: before })
  const at = '2026-01-01T00:00:00.000Z'
  for (const [registry, repository, digest, size] of [
    ['r1', 'app', 'a', 100],
    ['r1', 'copy', 'a', 100],
    ['r1', 'copy', 'b', 10],
    ['r2', 'app', 'a', 100],
    ['r3', 'app', 'empty', 0],
  ] as const) {
    await sql`INSERT INTO registry_blob_links (registry, repository, digest, size, created_at)
      VALUES (${registry}, ${repository}, ${digest}, ${size}, ${at})`.execute(old.kysely)
  }
  for (const [repository, digest] of [
    ['app', 'm1'],
    ['app', 'm2'],
    ['untagged', 'm1'],
  ] as const) {
    await sql`INSERT INTO registry_manifests
      (registry, repository, digest, media_type, image_size, content, created_at, updated_at)
      VALUES ('r1', ${repository}, ${digest}, 'm', 1, '{}', ${at}, ${at})`.execute(old.kysely)
  }
  await sql`INSERT INTO registry_tags (registry, repository, name, digest, created_at, updated_at)
    VALUES ('r1', 'app', 'v1', 'm1', ${at}, ${at})`.execute(old.kysely)
  await old.close()

  const { kysely, reader, close } = await openDatabase(file)
  t.after(close)
  const rows = (table: string) =>
    reader
      .prepare(`SELECT * FROM ${table} ORDER BY 1, 2`)
      .all()
      .map((row) => Object.values(row))
  assert.deepEqual(rows('registry_repository_counts'), [
    ['r1', 'app', 2, 1],
    ['r1', 'untagged', 1, 0],
  ])
  assert.deepEqual(rows('registry_stored_bytes'), [
    ['r1', 110],
    ['r2', 100],
  ])
  await sql`DELETE FROM registry_manifests WHERE digest = 'm1'`.execute(kysely)
  await sql`DELETE FROM registry_blob_links WHERE digest = 'a' AND repository = 'app'`.execute(
    kysely,
  )
  assert.deepEqual(rows('registry_repository_counts'), [
    ['r1', 'app', 1, 1],
    ['r1', 'untagged', 0, 0],
  ])
  assert.deepEqual(rows('registry_stored_bytes'), [
    ['r1', 110],
    ['r2', 0],
  ])
})
