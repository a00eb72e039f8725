import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pino } from 'pino'
import { OWNER } from '../../test/support/arm.ts'
import { systemClock } from '../lib/clock.ts'
import { openDatabase } from '../storage/database.ts'
import { operationRows } from '../storage/operation-rows.ts'
import type { ArmRequest } from './exchange.ts'
import { createOperations, type Executor } from './operations.ts'

const sealer = { seal: (text: string) => `sealed:${text}`, unseal: (text: string) => text.slice(7) }

async function setUp(t: { after(hook: () => Promise<void>): void }) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-operations-'))
  const database = await openDatabase(join(folder, 'causeway.db'))
  t.after(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })
  const rows = operationRows(database.kysely)
  const log = pino({ level: 'silent' })
  const create = (execute: Executor) =>
    createOperations({ rows, sealer, clock: systemClock, log, execute })
  return { rows, create }
}

const INPUT = {
  kind: 'action',
  target: '/subscriptions/s',
  targetMadeAt: '2026-01-01T00:00:00.000Z',
  principal: OWNER,
  action: 'x',
} as const

test('an operation that was running when the process ended is taken up again', async (t) => {
  const { rows, create } = await setUp(t)
  // As a crash leaves it: begun, never ended.
  const input = sealer.seal(JSON.stringify(INPUT))
  await rows.insert({ id: 'lost', kind: 'action', target: INPUT.target, input }, new Date())
  await rows.begin('lost')

  const seen: unknown[] = []
  const operations = create(async (asked) => {
    seen.push(asked)
    return { done: true }
  })
  await operations.resume()
  await operations.close()
  const row = await rows.byId('lost')
  assert.deepEqual(
    [row?.state, row?.tries, sealer.unseal(row?.result ?? '')],
    ['Succeeded', 2, '{"done":true}'],
  )
  assert.deepEqual(seen, [INPUT])
})

test('an operation that keeps failing without a reason for clients ends after its last try', async (t) => {
  const { rows, create } = await setUp(t)
  const input = sealer.seal(JSON.stringify(INPUT))
  await rows.insert({ id: 'bad', kind: 'action', target: INPUT.target, input }, new Date())
  await rows.begin('bad')
  await rows.begin('bad')
  const operations = create(async () => {
    throw new Error('the reason stays inside')
  })
  await operations.resume()
  await operations.close()
  const row = await rows.byId('bad')
  assert.equal(row?.state, 'Failed')
  assert.match(row?.error ?? '', /InternalServerError/)
  assert.doesNotMatch(row?.error ?? '', /reason/)
})

test('outcomes are forgotten after a day', async (t) => {
  const { rows, create } = await setUp(t)
  const input = sealer.seal(JSON.stringify(INPUT))
  const outcome = { state: 'Succeeded', error: null, result: null } as const
  for (const [id, hours] of [
    ['old', 25],
    ['recent', 23],
  ] as const) {
    const ended = new Date(Date.now() - hours * 60 * 60 * 1000)
    await rows.insert({ id, kind: 'action', target: INPUT.target, input }, ended)
    await rows.end(id, outcome, ended)
  }
  const operations = create(async () => undefined)
  await operations.resume()
  await operations.close()
  assert.equal(await rows.byId('old'), undefined)
  assert.equal((await rows.byId('recent'))?.state, 'Succeeded')
})

test('an outcome is told to nobody but who began the operation', async (t) => {
  const { create } = await setUp(t)
  const operations = create(async () => ({ secret: 'theirs' }))
  const id = await operations.begin(INPUT)
  const asked = { ...REQUEST, principal: { ...OWNER, objectId: 'somebody else' } }
  assert.equal(await operations.poll(asked, id), undefined)
  assert.equal((await operations.poll(REQUEST, id))?.status, 200)
  await operations.close()
})

const REQUEST: ArmRequest = {
  method: 'GET',
  segments: [],
  query: () => undefined,
  header: () => undefined,
  body: undefined,
  baseUrl: 'https://localhost',
  url: '/',
  apiVersion: '2024-01-01',
  principal: OWNER,
}

test('an operation that the end of the server cuts short is taken up again, however often that happens', async (t) => {
  const { rows, create } = await setUp(t)
  const input = sealer.seal(JSON.stringify(INPUT))
  await rows.insert({ id: 'long', kind: 'action', target: INPUT.target, input }, new Date())
  for (let start = 0; start < 5; start++) {
    const { promise: running, resolve } = Promise.withResolvers<void>()
    const operations = create(async (_input, signal) => {
      resolve()
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    })
    await operations.resume()
    await running
    await operations.close()
    assert.equal((await rows.byId('long'))?.state, 'Running')
  }
  const last = create(async () => ({ done: true }))
  await last.resume()
  await last.close()
  assert.equal((await rows.byId('long'))?.state, 'Succeeded')
})
