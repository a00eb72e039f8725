import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openTrail } from '../audit/audit-for-tests.ts'
import { deliveryRows } from './delivery-rows.ts'

const NOW = new Date('2026-05-01T10:00:00Z')

async function openRows(t: TestContext, count: number) {
  const { database } = await openTrail(t)
  const rows = deliveryRows(database.kysely)
  for (let index = 0; index < count; index++) {
    await rows.insert([{ event_id: `e${index}`, webhook: 'one', content: '{}' }], NOW)
  }
  return rows
}

const outcome = { request: null, response: '{}' }

test('of too many that wait the oldest are given up, and of those that are over the oldest go', async (t) => {
  const rows = await openRows(t, 30)
  await rows.insert([{ event_id: 'other', webhook: 'two', content: '{}' }], NOW)
  await rows.bound('one', { over: 5, waiting: 10 })
  const states = async () =>
    (await rows.list('one', 100)).map(({ event_id, state }) => `${event_id} ${state}`).toReversed()
  const waiting = Array.from({ length: 10 }, (_, index) => `e${index + 20} pending`)
  assert.deepEqual((await states()).slice(-10), waiting)
  assert.ok((await states()).slice(0, 20).every((each) => each.endsWith('failed')))
  await rows.bound('one', { over: 5, waiting: 10 })
  assert.deepEqual(await states(), [
    ...[15, 16, 17, 18, 19].map((index) => `e${index} failed`),
    ...waiting,
  ])
  assert.equal((await rows.list('two', 100))[0]?.state, 'pending')
})

test('one that failed comes after those that are due, when it is due again', async (t) => {
  const rows = await openRows(t, 2)
  const first = await rows.nextOf('one', NOW)
  assert.equal(first?.event_id, 'e0')
  const later = new Date(NOW.getTime() + 2000)
  const dueAt = later.toISOString()
  await rows.end(first?.id ?? 0, { ...outcome, state: 'pending', dueAt })
  const second = await rows.nextOf('one', NOW)
  assert.equal(second?.event_id, 'e1')
  await rows.end(second?.id ?? 0, { ...outcome, state: 'delivered', dueAt })
  assert.equal(await rows.nextOf('one', NOW), undefined)
  assert.deepEqual([await rows.waiting(), await rows.dueAt('one')], [['one'], dueAt])
  const again = await rows.nextOf('one', later)
  assert.deepEqual([again?.event_id, again?.tries], ['e0', 1])
  await rows.end(again?.id ?? 0, { ...outcome, state: 'failed', dueAt })
  assert.deepEqual([await rows.waiting(), await rows.dueAt('one')], [[], undefined])
})
