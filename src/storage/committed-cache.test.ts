import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createCommittedCache } from './committed-cache.ts'
import { openDatabase } from './database.ts'

function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-cache-'))
  const file = join(folder, 'some.db')
  const writer = new DatabaseSync(file)
  writer.exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES ('first')")
  const reader = new DatabaseSync(file, { readOnly: true })
  t.after(() => {
    reader.close()
    writer.close()
    rmSync(folder, { recursive: true })
  })
  let reads = 0
  const cache = createCommittedCache(reader)
  const statement = reader.prepare('SELECT x FROM t')
  const read = () => {
    reads += 1
    return statement.get()?.x
  }
  return { writer, cache, get: () => cache.get('x', read), reads: () => reads }
}

test('reads once while nothing is committed', (t) => {
  const { get, reads } = open(t)
  assert.equal(get(), 'first')
  assert.equal(get(), 'first')
  assert.equal(reads(), 1)
})

test('reads again after a commit, and not before', async (t) => {
  const { writer, get, reads } = open(t)
  get()
  writer.exec("BEGIN; UPDATE t SET x = 'second'")
  assert.equal(get(), 'first')
  writer.exec('COMMIT')
  await setImmediate()
  assert.equal(get(), 'second')
  assert.equal(reads(), 2)
})

test('reads again at once where this process itself has committed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-cache-'))
  const { kysely, reader, close } = await openDatabase(join(folder, 'some.db'))
  t.after(async () => {
    await close()
    rmSync(folder, { recursive: true })
  })
  const cache = createCommittedCache(reader)
  const statement = reader.prepare('SELECT count(*) AS count FROM registry_repositories')
  const count = () => cache.get('count', () => statement.get()?.count)
  const counts = [count()]
  const values = { registry: 'r', created_at: '', updated_at: '' }
  for (const name of ['a', 'b']) {
    const query = kysely.insertInto('registry_repositories').values({ ...values, name })
    // All of it before the next event: nothing waits but for promises.
    await query.execute()
    counts.push(count())
  }
  assert.deepEqual(counts, [0, 1, 2])
})

test('does not remember that something is missing, nor what is large', (t) => {
  const { cache } = open(t)
  assert.equal(
    cache.get('missing', () => undefined),
    undefined,
  )
  assert.equal(
    cache.get('missing', () => 1),
    1,
  )
  const large = (bytes: number) =>
    cache.get(
      'large',
      () => bytes,
      () => bytes,
    )
  assert.equal(large(100_000), 100_000)
  assert.equal(large(200_000), 200_000)
})
