import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import { openDatabase } from '../database.ts'
import { MIGRATIONS } from '../migrations.ts'
import type { Tables } from '../tables.ts'

const EVENT = {
  ...{ kind: 'login', time: '2026-01-01T00:00:00.000Z', registry_id: '/r', login_server: 'r.io' },
  ...{ region: 'r', operation: 'Login', status: 401, error_code: 'UNAUTHORIZED' },
  ...{ correlation_id: 'c', duration_ms: 3, identity: 'i"\\', identity_name: 'ñ' },
  ...{
    identity_kind: 'User',
    address: '',
    place: 'p',
    endpoint: null,
    user_agent: 'a',
    repository: null,
  },
  ...{ tag: null, digest: null, media_type: null, artifact_type: null, size: null },
}
const ADDED = '["repository","2026-01-02T00:00:00.000Z"]'

/** A database in which these statements were run before the migration. */
async function upgraded(t: TestContext, before: (kysely: Kysely<Tables>) => Promise<unknown>) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-events-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'causeway.db')
  const migrations = Object.fromEntries(
    Object.entries(MIGRATIONS).filter(([name]) => name < '0013'),
  )
  const old = await openDatabase(file, { migrations })
  const row = sql.join(Object.values(EVENT))
  const columns = sql.raw(Object.keys(EVENT).join(', '))
  for (const _ of [1, 2]) {
    await sql`INSERT INTO audit_events (${columns}) VALUES (${row})`.execute(old.kysely)
  }
  await before(old.kysely)
  await old.close()
  const database = await openDatabase(file)
  t.after(database.close)
  await database.kysely.insertInto('audit_events').values({ event: ADDED }).execute()
  return database.reader.prepare('SELECT * FROM audit_events ORDER BY id').all()
}

test('events from before are as they were, and new ones come after them', async (t) => {
  const [first, second, added, ...others] = await upgraded(t, async () => {})
  for (const [row, id] of [
    [first, 1],
    [second, 2],
  ] as const) {
    const { event, ...columns } = row ?? {}
    assert.deepEqual(JSON.parse(String(event)), Object.values(EVENT))
    assert.deepEqual({ ...columns }, { id, ...EVENT })
  }
  assert.deepEqual([added?.id, added?.kind, added?.operation], [3, 'repository', null])
  assert.deepEqual(others, [])
})

test('ids of events that are forgotten are not given again', async (t) => {
  const rows = await upgraded(t, (kysely) => sql`DELETE FROM audit_events`.execute(kysely))
  assert.deepEqual(
    rows.map(({ id }) => id),
    [3],
  )
})
