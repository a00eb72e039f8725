import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createCommittedCache } from './committed-cache.ts'

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

test('reads again after a commit, and not before', (t) => {
  const { writer, get, reads } = open(t)
  get()
  writer.exec("BEGIN; UPDATE t SET x = 'second'")
  assert.equal(get(), 'first')
  writer.exec('COMMIT')
  assert.equal(get(), 'second')
  assert.equal(reads(), 2)
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
