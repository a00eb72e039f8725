import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { OCCASION, openQueue, until } from './webhooks-for-tests.ts'

test("a push is told in the service's form, signed, with the webhook's headers", async (t) => {
  const { add, record, heard, queue } = await openQueue(t)
  add('one', { customHeaders: { Authorization: 'Bearer abc' }, signingSecret: 'key' })
  await record()
  await until(() => heard.length === 1)
  const [{ url, headers, body, event } = assert.fail()] = heard
  assert.equal(url, '/one')
  assert.equal(headers.authorization, 'Bearer abc')
  assert.equal(headers['content-type'], 'application/json; charset=utf-8')
  assert.equal(
    headers['x-causeway-signature-256'],
    `sha256=${createHmac('sha256', 'key').update(body).digest('hex')}`,
  )
  const { id, timestamp, ...rest } = JSON.parse(body.toString())
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000)
  assert.deepEqual(rest, {
    action: 'push',
    target: {
      mediaType: 'manifest',
      size: 7,
      digest: 'sha256:1',
      length: 7,
      repository: 'app',
      tag: 'v1',
    },
    request: { id: 'c1', host: 'one.azurecr.io', method: 'PUT', useragent: 'a client' },
  })
  await until(async () => (await queue.events('one'))[0]?.eventResponseMessage !== undefined)
  const [listed] = await queue.events('one')
  assert.equal(listed?.id, event.id)
  assert.equal(listed?.eventRequestMessage.headers?.authorization, '******')
  assert.deepEqual(listed?.eventRequestMessage.content, event)
  assert.deepEqual(
    { ...(listed?.eventResponseMessage as object), headers: {} },
    { content: 'thank you', headers: {}, reasonPhrase: 'OK', statusCode: '200', version: '1.1' },
  )
})

test('a deletion is told without a size; a ping tells of nothing', async (t) => {
  const { add, record, heard, queue } = await openQueue(t)
  add('one')
  await record({ operation: 'Delete' })
  await until(() => heard.length === 1)
  assert.deepEqual(heard[0]?.event.target, {
    mediaType: 'manifest',
    digest: 'sha256:1',
    repository: 'app',
    tag: 'v1',
  })
  const id = await queue.ping('one')
  await until(() => heard.length === 2)
  const { timestamp: _, ...event } = JSON.parse(String(heard[1]?.body))
  assert.deepEqual(event, { id, action: 'ping' })
})

test('only webhooks that are enabled, for the action and the scope, are told', async (t) => {
  const { add, record, heard } = await openQueue(t)
  add('disabled', { isEnabled: false })
  add('deletions', { actions: ['delete'] })
  add('others', { scope: 'other:*' })
  add('these', { scope: 'app:v1' })
  await record()
  await record({ registry: 'another' })
  await record({ tag: 'v2' })
  add('last')
  await record({ repository: 'end' })
  await until(() => heard.some(({ url }) => url === '/last'))
  assert.deepEqual(heard.map(({ url }) => url).sort(), ['/last', '/these'])
})

test('a change that is undone tells nobody', async (t) => {
  const { add, record, heard, queue, database } = await openQueue(t)
  add('one')
  const failing = database.kysely.transaction().execute(async (transaction) => {
    const change = {
      operation: 'Push',
      status: 201,
      registry: 'registry',
      repository: 'a',
    } as const
    await queue.record(transaction, [change], OCCASION)
    throw new Error('no')
  })
  await assert.rejects(failing, /no/)
  await record({ tag: 'later' })
  await until(() => heard.length === 1)
  assert.equal((await queue.events('one')).length, 1)
})

test('a receiver that fails is told again, with the same event, until it accepts', async (t) => {
  const opened = await openQueue(t)
  const { add, record, heard, queue } = opened
  add('one')
  opened.answerWith(
    (_heard, response) =>
      void response.writeHead(heard.length < 3 ? 503 : 204, { 'retry-after': '1' }).end(),
  )
  await record()
  await until(() => queue.counts().delivered === 1)
  assert.equal(heard.length, 3)
  assert.equal(new Set(heard.map(({ event }) => event.id)).size, 1)
  assert.equal(new Set(heard.map(({ headers }) => headers['x-causeway-signature-256'])).size, 1)
  assert.deepEqual(queue.counts(), { delivered: 1, retried: 2, given_up: 0 })
})

test('enough is enough, and the next event is told all the same', async (t) => {
  const opened = await openQueue(t, { pausesSeconds: [0.01] })
  const { add, record, heard, queue } = opened
  add('one')
  opened.answerWith(
    ({ event }, response) =>
      void response.writeHead(heard[0]?.event.id === event.id ? 500 : 200).end(),
  )
  await record()
  await until(() => queue.counts().given_up === 1)
  await record({ tag: 'v2' })
  await until(() => queue.counts().delivered === 1)
  assert.equal(heard.length, 3)
})

test('what was not told at the end is told after the next start', async (t) => {
  const opened = await openQueue(t, { pausesSeconds: [0.2, 0.2, 0.2] })
  const { add, record, heard, queue } = opened
  add('one')
  opened.answerWith((_heard, response) => void response.writeHead(503).end())
  await record()
  await until(() => queue.counts().retried === 1)
  await queue.close()
  const before = heard.length
  opened.answerWith((_heard, response) => void response.writeHead(200).end())
  const next = opened.open()
  next.start()
  await until(() => next.counts().delivered === 1)
  assert.equal(heard.length, before + 1)
  assert.equal(heard[0]?.event.id, heard.at(-1)?.event.id)
})

test('the end does not wait for a receiver that does not answer', async (t) => {
  const opened = await openQueue(t)
  const { add, record, heard, queue } = opened
  add('one')
  opened.answerWith(() => {})
  await record()
  await until(() => heard.length === 1)
  const closedAt = Date.now()
  await queue.close()
  assert.ok(Date.now() - closedAt < 5000)
  const rows = await opened.database.kysely.selectFrom('webhook_deliveries').selectAll().execute()
  assert.deepEqual(
    rows.map(({ state, tries }) => [state, tries]),
    [['pending', 0]],
  )
})

test('a receiver that does not answer delays no other, and no push', async (t) => {
  const opened = await openQueue(t)
  const { add, record, heard } = opened
  add('slow')
  add('quick')
  opened.answerWith(({ url }, response) => void (url === '/slow' || response.writeHead(200).end()))
  for (let count = 0; count < 20; count++) await record({ tag: `v${count}` })
  await until(() => heard.filter(({ url }) => url === '/quick').length === 20)
  assert.equal(heard.filter(({ url }) => url === '/slow').length, 1)
  const tags = heard
    .filter(({ url }) => url === '/quick')
    .map(({ event }) => (event.target as { tag: string }).tag)
  assert.deepEqual(
    tags,
    Array.from({ length: 20 }, (_, index) => `v${index}`),
  )
})

test('nothing is sent to http, to redirects or to where egress does not go, and the events say so', async (t) => {
  const opened = await openQueue(t, { pausesSeconds: [] })
  const { add, record, heard, queue } = opened
  add('plain', { serviceUri: 'http://registry.test/' })
  add('private', { serviceUri: 'https://10.0.0.1/' })
  add('moved', { customHeaders: { 'x-key': 'secret' } })
  opened.answerWith(
    (_heard, response) =>
      void response.writeHead(307, { location: opened.urlOf('/elsewhere', 'other.test') }).end(),
  )
  await record()
  await until(() => queue.counts().given_up === 3)
  const reasonOf = async (uid: string) =>
    (await queue.events(uid))[0]?.eventResponseMessage as { reasonPhrase: string }
  assert.match((await reasonOf('plain')).reasonPhrase, /no https address/)
  assert.match((await reasonOf('private')).reasonPhrase, /cannot be reached from here/)
  assert.match((await reasonOf('moved')).reasonPhrase, /redirected/)
  assert.deepEqual(
    heard.map(({ url }) => url),
    ['/moved'],
  )
})

test('of a webhook that is gone nothing is told and nothing stays', async (t) => {
  const opened = await openQueue(t)
  const { add, record, queue, callbacks } = opened
  add('one')
  add('two')
  await record()
  await until(() => queue.counts().delivered === 2)
  callbacks.delete('one')
  await queue.retain()
  assert.deepEqual(await queue.events('one'), [])
  assert.equal((await queue.events('two')).length, 1)
})

test('the last hundred events are kept', async (t) => {
  const { add, record, queue, database } = await openQueue(t)
  add('one')
  for (let count = 0; count < 160; count++) await record({ tag: `v${count}` })
  await until(() => queue.counts().delivered === 160)
  const events = await queue.events('one')
  assert.equal(events.length, 100)
  assert.equal(events[0]?.eventRequestMessage.content.target?.tag, 'v159')
  const rows = await database.kysely.selectFrom('webhook_deliveries').select('id').execute()
  assert.ok(rows.length <= 150, `${rows.length} rows`)
})

test('a long answer is cut, and one that breaks off counts by its status', async (t) => {
  const opened = await openQueue(t)
  const { add, record, queue } = opened
  add('one')
  opened.answerWith((_heard, response) => void response.writeHead(200).end('x'.repeat(1 << 20)))
  await record()
  await until(() => queue.counts().delivered === 1)
  const [event] = await queue.events('one')
  assert.equal(JSON.stringify(event?.eventResponseMessage).match(/x{2,}/)?.[0].length, 4096)
})
