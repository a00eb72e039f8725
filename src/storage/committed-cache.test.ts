import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { on } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextEvent } from 'node:timers/promises'
import { sql } from 'kysely'
import { createCommittedCache } from './committed-cache.ts'
import { openDatabase } from './database.ts'
import { openReader } from './open-reader.ts'

/** A row that one connection writes, and two read: that of the process that writes, and one as other processes have it. */
async function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-cache-'))
  const file = join(folder, 'some.db')
  const { kysely, reader, close } = await openDatabase(file)
  const elsewhere = openReader(file)
  t.after(async () => {
    elsewhere.close()
    await close()
    rmSync(folder, { recursive: true })
  })
  await sql`CREATE TABLE t(x)`.execute(kysely)
  await sql`INSERT INTO t VALUES ('first')`.execute(kysely)
  const [here, there] = [reader, elsewhere].map((connection) => {
    const cache = createCommittedCache(connection)
    const statement = connection.prepare('SELECT x FROM t')
    let reads = 0
    const read = () => {
      reads += 1
      return statement.get()?.x
    }
    return { cache, get: () => cache.get('x', read), reads: () => reads }
  })
  assert.ok(here && there)
  const update = (to: string) => sql`UPDATE t SET x = ${to}`
  return { file, kysely, update, here, there }
}

test('reads once while nothing is committed', async (t) => {
  const { kysely, here, there } = await open(t)
  for (const { get, reads } of [here, there]) {
    assert.equal(get(), 'first')
    await sql`SELECT x FROM t`.execute(kysely)
    assert.equal(get(), 'first')
    assert.equal(reads(), 1)
  }
})

test('reads again at once after a commit, and not before', async (t) => {
  const { kysely, update, here, there } = await open(t)
  /** The other connection is asked as in another process: by an event. */
  const both = async () => {
    const now = here.get()
    await nextEvent()
    return [now, there.get()]
  }
  assert.deepEqual(await both(), ['first', 'first'])
  await kysely.transaction().execute(async (transaction) => {
    await update('second').execute(transaction)
    assert.deepEqual(await both(), ['first', 'first'])
  })
  assert.deepEqual(await both(), ['second', 'second'])
  assert.deepEqual([here.reads(), there.reads()], [2, 2])
  await update('third').execute(kysely)
  assert.deepEqual(await both(), ['third', 'third'])
  await sql`UPDATE t SET x = 'fourth' RETURNING x`.execute(kysely)
  assert.deepEqual(await both(), ['fourth', 'fourth'])
})

test('what was taken back is no commit', async (t) => {
  const { kysely, update, here, there } = await open(t)
  for (const { get } of [here, there]) get()
  const failing = kysely.transaction().execute(async (transaction) => {
    await update('never').execute(transaction)
    throw new Error('changed its mind')
  })
  await assert.rejects(failing, /changed its mind/)
  for (const { get } of [here, there]) assert.equal(get(), 'first')
})

test('remembers nothing while a commit is announced that is not counted yet', async (t) => {
  const { file, update, kysely, there } = await open(t)
  writeFileSync(`${file}-commits`, Float64Array.of(3))
  for (const reads of [1, 2]) {
    assert.equal(there.get(), 'first')
    assert.equal(there.reads(), reads)
  }
  await update('second').execute(kysely)
  for (const _ of [1, 2]) {
    await nextEvent()
    assert.equal(there.get(), 'second')
    assert.equal(there.reads(), 3)
  }
})

test('another process sees at once what was committed in this one', async (t) => {
  const { file, kysely, update } = await open(t)
  const modules = ['committed-cache.ts', 'open-reader.ts'].map(
    (name) => new URL(name, import.meta.url).href,
  )
  const program = `
    const [{ createCommittedCache }, { openReader }] = await Promise.all(
      ${JSON.stringify(modules)}.map((name) => import(name)))
    const reader = openReader(process.argv[1])
    const cache = createCommittedCache(reader)
    const statement = reader.prepare('SELECT x FROM t')
    process.on('message', () => process.send(cache.get('x', () => statement.get().x)))
    process.send('ready')`
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program]
  const child = spawn(execPath, [...flags, file], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  t.after(() => child.kill())
  const answers = on(child, 'message')
  const heard = async () => (await answers.next()).value?.[0]
  assert.equal(await heard(), 'ready')
  const asked = async () => {
    child.send('what is it')
    return heard()
  }
  assert.equal(await asked(), 'first')
  for (const word of ['second', 'third', 'fourth']) {
    await update(word).execute(kysely)
    assert.equal(await asked(), word)
  }
})

test('does not remember that something is missing, nor what is large', async (t) => {
  const { here } = await open(t)
  const { cache } = here
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
