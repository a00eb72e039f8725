import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openTrail, pull } from './audit-for-tests.ts'
import { presentEvent } from './present-event.ts'

const ALL = { limit: 1000 }

test('what is noted is on disk within a second, without being asked for', async (t) => {
  const { trail, reader } = await openTrail(t)
  const notedAt = Date.now()
  trail.note(pull())
  trail.note(pull({ tag: 'v2' }))
  while (reader.page(ALL).rows.length < 2) {
    assert.ok(Date.now() - notedAt < 20_000, 'never written')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(
    reader.page(ALL).rows.map(({ tag }) => tag),
    ['v1', 'v2'],
  )
})

test('the end writes what waits', async (t) => {
  const { trail, reader } = await openTrail(t)
  for (let count = 0; count < 1234; count++) trail.note(pull())
  assert.equal(reader.page(ALL).rows.length, 0)
  await trail.close()
  assert.equal(reader.page({ limit: 2000 }).rows.length, 1234)
})

test('a change is recorded with its transaction or not at all', async (t) => {
  const { trail, reader, database } = await openTrail(t)
  const { occasion } = pull()
  const change = { operation: 'Push', status: 201, registry: 'uid', repository: 'app' } as const
  const failing = database.kysely.transaction().execute(async (transaction) => {
    await trail.record(transaction, [change], occasion)
    throw new Error('no')
  })
  await assert.rejects(failing, /no/)
  assert.deepEqual(reader.page(ALL).rows, [])
  await database.kysely
    .transaction()
    .execute((transaction) => trail.record(transaction, [change], occasion))
  const [row] = reader.page(ALL).rows
  assert.deepEqual([row?.operation, row?.status, row?.duration_ms], ['Push', 201, 1000])
})

test('what cannot be written is kept, written later, and the failure is logged', async (t) => {
  const { trail, reader, database, logged } = await openTrail(t)
  await database.kysely.schema.alterTable('audit_events').renameTo('elsewhere').execute()
  trail.note(pull())
  await trail.flush()
  assert.equal(logged.length, 1)
  await database.kysely.schema.alterTable('elsewhere').renameTo('audit_events').execute()
  trail.note(pull({ tag: 'v2' }))
  await trail.flush()
  assert.deepEqual(
    reader.page(ALL).rows.map(({ tag }) => tag),
    ['v1', 'v2'],
  )
  assert.equal(trail.dropped(), 0)
})

test('what waits is bounded: the oldest goes, and is counted', async (t: TestContext) => {
  const { trail, database } = await openTrail(t)
  await database.kysely.schema.alterTable('audit_events').renameTo('elsewhere').execute()
  for (let count = 0; count < 25_000; count++) trail.note(pull())
  await trail.flush()
  assert.ok(trail.dropped() >= 4000 && trail.dropped() <= 5000, String(trail.dropped()))
  await database.kysely.schema.alterTable('elsewhere').renameTo('audit_events').execute()
})

test("an event has the columns of Azure Monitor's tables, and those of ours", async (t) => {
  const { trail, reader } = await openTrail(t)
  const endpoint = '/subscriptions/s/endpoints/pe'
  trail.note(pull({ digest: 'sha256:1', mediaType: 'm', size: 7 }, { endpoint }))
  const nobody = { kind: 'Anonymous', id: '', name: '' } as const
  trail.note({
    table: 'login',
    operation: 'Login',
    status: 401,
    errorCode: 'UNAUTHORIZED',
    durationMs: 1,
    occasion: pull({}, { caller: nobody, userAgent: '' }).occasion,
  })
  await trail.flush()
  const [first, second] = reader.page(ALL).rows.map((row) => presentEvent(row, 'tenant'))
  assert.deepEqual(first, {
    TimeGenerated: '2026-05-01T10:00:00.000Z',
    Type: 'ContainerRegistryRepositoryEvents',
    Category: 'ContainerRegistryRepositoryEvents',
    OperationName: 'Pull',
    ResultType: 'HttpStatusCode',
    ResultDescription: '200',
    CorrelationId: 'c1',
    DurationMs: '3',
    CallerIpAddress: '10.0.0.9',
    Identity: 'object-somebody',
    UserTenantId: 'tenant',
    UserAgent: 'a client',
    LoginServer: 'one.azurecr.io',
    Region: 'westeurope',
    Repository: 'app',
    Tag: 'v1',
    Digest: 'sha256:1',
    MediaType: 'm',
    Size: 7,
    _ResourceId:
      '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/one',
    _SubscriptionId: 's',
    IdentityName: 'somebody',
    IdentityType: 'User',
    Place: 'net-12345678',
    PrivateEndpoint: endpoint,
  })
  assert.deepEqual(Object.keys(second ?? {}).sort(), [
    'CallerIpAddress',
    'Category',
    'CorrelationId',
    'DurationMs',
    'ErrorCode',
    'IdentityType',
    'LoginServer',
    'OperationName',
    'Place',
    'Region',
    'ResultDescription',
    'ResultType',
    'TimeGenerated',
    'Type',
    '_ResourceId',
    '_SubscriptionId',
  ])
})
