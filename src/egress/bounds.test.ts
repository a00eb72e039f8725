import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { EgressError } from '../lib/egress-error.ts'
import { ask, fetchText, openEgress, openServed } from './egress-for-tests.ts'

const failsAs = (kind: string) => (error: unknown) =>
  error instanceof EgressError && error.kind === kind

test('a body comes as it is sent, and one event says so', async (t) => {
  const { egress, urlOf, events } = await openServed(t, (_request, response) =>
    response.writeHead(201, { 'x-a': 'b' }).end('hello'),
  )
  const answer = await fetchText(egress, urlOf('/a?secret=1'), { headers: { authorization: 'x' } })
  assert.deepEqual([answer.status, answer.headers['x-a'], answer.text], [201, 'b', 'hello'])
  assert.equal(events.length, 1)
  const { host } = new URL(urlOf('/'))
  assert.deepEqual(events[0]?.hops, [{ host, address: '127.0.0.1', status: 201 }])
  assert.deepEqual([events[0]?.outcome, events[0]?.bytes], ['complete', 5])
  assert.doesNotMatch(JSON.stringify(events), /secret|authorization/)
})

test('a body without an end is cut off at the limit', async (t) => {
  const { egress, urlOf, events } = await openServed(t, (request, response) => {
    const more = () => {
      while (!request.socket.destroyed && response.write(Buffer.alloc(4096)));
    }
    response.on('drain', more)
    more()
  })
  await assert.rejects(fetchText(egress, urlOf('/'), { bytesMax: 100_000 }), failsAs('too-large'))
  assert.equal(events[0]?.outcome, 'too-large')
  assert.ok((events[0]?.bytes ?? 0) <= 100_000)
})

test('a body that says it is too long is not begun', async (t) => {
  const { egress, urlOf } = await openServed(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 }).flushHeaders()
  })
  await assert.rejects(fetchText(egress, urlOf('/'), { bytesMax: 999 }), failsAs('too-large'))
})

test('a body that stops coming ends the wait', async (t) => {
  const { egress, urlOf, events } = await openServed(
    t,
    (_request, response) => {
      response.write('a')
    },
    { patience: { idleSeconds: 0.05 } },
  )
  await assert.rejects(fetchText(egress, urlOf('/')), failsAs('timeout'))
  assert.deepEqual([events.length, events[0]?.outcome], [1, 'timeout'])
})

test('a body that comes byte by byte ends with the time for all of it', async (t) => {
  const { egress, urlOf } = await openServed(t, (_request, response) => {
    const timer = setInterval(() => response.write('a'), 10)
    response.on('close', () => clearInterval(timer))
  })
  await assert.rejects(fetchText(egress, urlOf('/'), { timeoutSeconds: 0.3 }), failsAs('timeout'))
})

test('a server that does not answer is waited for no longer than its first byte may take', async (t) => {
  const { egress, urlOf } = await openServed(t, () => undefined, {
    patience: { firstByteSeconds: 0.05 },
  })
  await assert.rejects(fetchText(egress, urlOf('/')), failsAs('timeout'))
})

test('a server that says nothing in TLS is waited for no longer than a connection may take', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => undefined).resume())
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise<void>((resolve) => void silent.close(() => resolve())))
  const { egress } = openEgress({ patience: { connectSeconds: 0.05 } })
  const { port } = silent.address() as { port: number }
  await assert.rejects(fetchText(egress, `https://127.0.0.1:${port}/`), failsAs('timeout'))
})

test('a resolver that does not answer ends with the time for all of it', async () => {
  const { egress } = openEgress({ resolve: () => new Promise(() => undefined) })
  await assert.rejects(
    fetchText(egress, 'https://registry.test/', { timeoutSeconds: 0.05 }),
    failsAs('timeout'),
  )
})

test('a body that breaks off is no shorter body', async (t) => {
  const { egress, urlOf } = await openServed(t, (request, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half')
    setImmediate(() => request.socket.destroy())
  })
  await assert.rejects(fetchText(egress, urlOf('/')), failsAs('broken-off'))
})

test('what is not HTTP is told as such', async (t) => {
  const { egress, urlOf } = await openServed(t, (request) => request.socket.end('220 mail\r\n\r\n'))
  await assert.rejects(fetchText(egress, urlOf('/')), failsAs('broken-off'))
})

test('a certificate for another name, or by nobody that is trusted, is refused', async (t) => {
  const { server, urlOf } = await openServed(t, (_request, response) => response.end())
  const names = { 'registry.test': ['127.0.0.1'], 'third.test': ['127.0.0.1'] }
  const trusting = openEgress({ names, authorities: [server.authority] })
  await assert.rejects(fetchText(trusting.egress, urlOf('/', 'third.test')), failsAs('tls'))
  const wary = openEgress({ names })
  await assert.rejects(fetchText(wary.egress, urlOf('/')), failsAs('tls'))
  await fetchText(trusting.egress, urlOf('/', '127.0.0.1'))
})

test('the environment neither adds a proxy nor takes the checks away', async (t) => {
  const before = { ...process.env }
  t.after(() => {
    process.env = before
  })
  const { urlOf, egress, server } = await openServed(t, (_request, response) => response.end('me'))
  const proxy = { HTTPS_PROXY: 'http://127.0.0.1:1', NODE_USE_ENV_PROXY: '1' }
  process.env = { ...before, ...proxy, NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  assert.equal((await fetchText(egress, urlOf('/'))).text, 'me')
  assert.equal(server.connections(), 1)
  const wary = openEgress({ names: { 'registry.test': ['127.0.0.1'] } })
  await assert.rejects(fetchText(wary.egress, urlOf('/')), failsAs('tls'))
})

test('a caller can cancel before, during and after the head', async (t) => {
  const { egress, urlOf, events } = await openServed(t, (_request, response) => {
    response.write('a')
  })
  const gone = AbortSignal.abort()
  await assert.rejects(fetchText(egress, urlOf('/'), { signal: gone }), failsAs('cancelled'))
  const during = new AbortController()
  const answer = await egress.fetch({ ...ask, url: urlOf('/'), signal: during.signal })
  await assert.rejects(async () => {
    for await (const _chunk of answer.body) during.abort()
  }, failsAs('cancelled'))
  const unread = new AbortController()
  await egress.fetch({ ...ask, url: urlOf('/'), signal: unread.signal })
  unread.abort()
  assert.deepEqual(
    events.map(({ outcome }) => outcome),
    ['cancelled', 'cancelled', 'cancelled'],
  )
})

test('what is discarded ends its connection', async (t) => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const { egress, urlOf, events } = await openServed(t, (request, response) => {
    request.socket.once('close', () => resolve())
    response.write('a')
  })
  const answer = await egress.fetch({ ...ask, url: urlOf('/') })
  answer.discard()
  await closed
  assert.deepEqual(
    events.map(({ outcome }) => outcome),
    ['discarded'],
  )
})
