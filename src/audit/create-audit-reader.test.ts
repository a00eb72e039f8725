import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTrail, pull } from './audit-for-tests.ts'
import type { AuditQuery } from './create-audit-reader.ts'
import { forgetEventsBefore } from './forget-old-events.ts'

const minute = (count: number) => new Date(Date.UTC(2026, 4, 1, 0, count)).toISOString()

/** One event a minute, each with a tag of its own; every fourth is of another repository. */
async function openLongTrail(t: Parameters<typeof openTrail>[0], count: number) {
  const opened = await openTrail(t)
  for (let index = 0; index < count; index++) {
    const repository = index % 4 === 0 ? 'rare' : 'app'
    opened.trail.note(pull({ tag: `v${index}`, repository }, { time: minute(index) }))
  }
  await opened.trail.flush()
  const walk = (query: AuditQuery): readonly (string | null)[] => {
    const tags: (string | null)[] = []
    let next: Partial<AuditQuery> = {}
    for (;;) {
      const page = opened.reader.page({ ...query, ...next })
      const found = page.rows.map(({ tag }) => tag)
      if (query.after === undefined) tags.unshift(...found)
      else tags.push(...found)
      if (!page.hasMore) return tags
      next = query.after === undefined ? { before: page.reached } : { after: page.reached }
    }
  }
  return { ...opened, walk }
}

const tags = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => `v${from + index * step}`)

test('pages lead through all events, each once, both ways', async (t) => {
  const { walk } = await openLongTrail(t, 12_000)
  const all = tags(0, 12_000)
  for (const limit of [1000, 999]) {
    assert.deepEqual(walk({ limit }), all)
    assert.deepEqual(walk({ limit, after: 0 }), all)
  }
  const rare = { repository: 'rare', limit: 1000 }
  assert.deepEqual(walk(rare), tags(0, 12_000, 4))
  assert.deepEqual(walk({ ...rare, after: 0 }), tags(0, 12_000, 4))
  assert.deepEqual(walk({ repository: 'none', limit: 10 }), [])
})

test('one page looks at a bounded number of rows, however rare what is wanted', async (t) => {
  const { reader } = await openLongTrail(t, 12_000)
  const { rows, hasMore, reached } = reader.page({ repository: 'none', after: 0, limit: 10 })
  assert.deepEqual([rows.length, hasMore], [0, true])
  assert.ok(reached <= 5000)
})

test('since a time: nothing earlier, and what is much earlier is not even looked at', async (t) => {
  const { walk, reader } = await openLongTrail(t, 12_000)
  const since = minute(11_990)
  assert.deepEqual(walk({ since, after: 0, limit: 1000 }), tags(11_990, 12_000))
  assert.deepEqual(walk({ since, limit: 3 }), tags(11_990, 12_000))
  assert.equal(reader.page({ since, after: 0, limit: 1000 }).hasMore, false)
})

test('by table, and by a registry that is named by itself or by its login server', async (t) => {
  const { trail, reader } = await openTrail(t)
  trail.note(pull({ tag: 'a' }))
  trail.note(pull({ tag: 'b' }, { loginServer: 'onemore.azurecr.io' }))
  trail.note({ ...pull({ tag: 'c' }), table: 'login' })
  await trail.flush()
  const found = (filter: Partial<AuditQuery>) =>
    reader.page({ ...filter, limit: 10 }).rows.map(({ tag }) => tag)
  assert.deepEqual(found({ registry: 'one' }), ['a', 'c'])
  assert.deepEqual(found({ registry: 'ONE.azurecr.io' }), ['a', 'c'])
  assert.deepEqual(found({ registry: 'on' }), [])
  assert.deepEqual(found({ registry: "' OR 1=1 --" }), [])
  assert.deepEqual(found({ table: 'login' }), ['c'])
})

test('who follows goes on at the newest event, wanted or not', async (t) => {
  const { trail, reader } = await openTrail(t)
  assert.deepEqual(reader.page({ limit: 10 }), { rows: [], reached: 0, hasMore: false, newest: 0 })
  trail.note(pull({ tag: 'a' }))
  await trail.flush()
  const { newest } = reader.page({ repository: 'none', limit: 10 })
  trail.note(pull({ tag: 'b' }))
  await trail.flush()
  const { rows } = reader.page({ after: newest, limit: 10 })
  assert.deepEqual(
    rows.map(({ tag }) => tag),
    ['b'],
  )
})

test('old events are forgotten, and their ids not given again', async (t) => {
  const { database, reader, trail } = await openLongTrail(t, 2500)
  assert.equal(await forgetEventsBefore(database.kysely, new Date(minute(2400))), 2400)
  assert.equal(await forgetEventsBefore(database.kysely, new Date(minute(2400))), 0)
  assert.equal(reader.page({ limit: 1000 }).rows.length, 100)
  assert.equal(await forgetEventsBefore(database.kysely, new Date(minute(9000))), 100)
  trail.note(pull())
  await trail.flush()
  assert.equal(reader.page({ limit: 10 }).rows[0]?.id, 2501)
})
