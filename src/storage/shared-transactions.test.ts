import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Database, openDatabase } from './database.ts'
import { createSharedTransactions } from './shared-transactions.ts'

async function open(t: TestContext): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-shared-'))
  const database = await openDatabase(join(folder, 'causeway.db'))
  t.after(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })
  return database
}

const link = (digest: string) => ({
  registry: 'r',
  repository: 'app',
  digest,
  size: 1,
  created_at: '2026-01-01T00:00:00.000Z',
})

const digestsIn = ({ reader }: Database) =>
  reader
    .prepare('SELECT digest FROM registry_blob_links ORDER BY digest')
    .all()
    .map((row) => row.digest)

test('what comes at once is committed at once, and each gets its own result', async (t) => {
  const database = await open(t)
  const inTransaction = createSharedTransactions(database.kysely)
  const version = database.reader.prepare('PRAGMA data_version')
  const before = Number(version.get()?.data_version)
  const results = await Promise.all(
    ['a', 'b', 'c'].map((digest) =>
      inTransaction(async (transaction) => {
        await transaction.insertInto('registry_blob_links').values(link(digest)).execute()
        return digest
      }),
    ),
  )
  assert.deepEqual(results, ['a', 'b', 'c'])
  assert.deepEqual(digestsIn(database), ['a', 'b', 'c'])
  assert.equal(Number(version.get()?.data_version), before + 1)
})

test('one that fails leaves nothing behind, and the others whole', async (t) => {
  const database = await open(t)
  const inTransaction = createSharedTransactions(database.kysely)
  const add = (digest: string, failure?: Error) =>
    inTransaction(async (transaction) => {
      await transaction.insertInto('registry_blob_links').values(link(digest)).execute()
      if (failure) throw failure
    })
  const refusal = new Error('no')
  const outcomes = await Promise.allSettled([add('a'), add('b', refusal), add('c')])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : 'done')),
    ['done', refusal, 'done'],
  )
  assert.deepEqual(digestsIn(database), ['a', 'c'])
})

test('a transaction that the system takes back fails for all of its callers', async (t) => {
  const database = await open(t)
  const inTransaction = createSharedTransactions(database.kysely)
  const pages = database.reader.prepare('PRAGMA page_count').get()?.page_count
  await database.kysely.executeQuery(limitPages(Number(pages)))
  const add = (digest: string, size = 10) =>
    inTransaction(async (transaction) => {
      const values = { ...link(digest), repository: 'x'.repeat(size) }
      await transaction.insertInto('registry_blob_links').values(values).execute()
    })
  const outcomes = await Promise.allSettled([add('a'), add('b', 1_000_000), add('c')])
  assert.ok(outcomes.some((outcome) => outcome.status === 'rejected'))
  const kept = outcomes.flatMap((outcome, index) =>
    outcome.status === 'fulfilled' ? ['abc'[index]] : [],
  )
  // What was said to be done is there, and nothing else.
  assert.deepEqual(digestsIn(database), kept)
  await database.kysely.executeQuery(limitPages(1_000_000))
  await add('d')
  assert.deepEqual(digestsIn(database), [...kept, 'd'])
})

const limitPages = (count: number) => ({
  sql: `PRAGMA max_page_count=${count}`,
  parameters: [],
  query: { kind: 'RawNode' as const, sqlFragments: [], parameters: [] },
  queryId: { queryId: 'pages' },
})
