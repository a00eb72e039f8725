import assert from 'node:assert/strict'
import events from 'node:events'
import https from 'node:https'
import net from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import tls from 'node:tls'
import { frontFor } from '../front/front-for-tests.ts'
import type { ListenerOrigin } from '../lib/origin.ts'
import { shareTls, type Takers } from './share-tls.ts'
import type { HandedConnection } from './worker-contract.ts'

const PUBLIC: ListenerOrigin = { via: 'public', place: 'net-1' }
const REGISTRY = 'shop.azurecr.io'

interface Cleanup {
  after(hook: () => Promise<void>): void
}

/** A listener whose connections for registries are only kept. */
async function listening(t: Cleanup) {
  const taken: { socket: net.Socket; connection: HandedConnection; isWanted: () => boolean }[] = []
  const closed: number[] = []
  const takers: Takers = {
    take: (socket, connection, isWanted) => void taken.push({ socket, connection, isWanted }),
    closeListener: async (listener) => void closed.push(listener),
  }
  const { front, ca } = await frontFor(t)
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const listener = shareTls(takers)(server, front.optionsAt(PUBLIC), {
    side: 'place',
    where: PUBLIC,
  })
  t.after(async () => {
    await listener.close()
    for (const { socket } of taken) socket.destroy()
  })
  const untilTaken = async () => {
    for (;;) {
      const [first] = taken
      if (first) return first
      await delay(1)
    }
  }
  return { port, ca, closed, listener, untilTaken }
}

test('a name of another plane is served here', async (t) => {
  const { port, ca } = await listening(t)
  const request = https.get({
    host: '127.0.0.1',
    port,
    ca,
    servername: 'management.azure.com',
    headers: { host: 'management.azure.com' },
    agent: false,
  })
  const [answer] = await events.once(request, 'response')
  assert.equal(answer.statusCode, 200)
})

test('a registry’s is given away with what was read, its certificate, and all that comes later unread', async (t) => {
  const { port, untilTaken } = await listening(t)
  const client = net.connect(port, '127.0.0.1')
  t.after(async () => void client.destroy())
  const hello = await helloOf(REGISTRY)
  // In two pieces, and then what no client sends so early.
  client.write(hello.subarray(0, 30))
  await delay(20)
  client.write(hello.subarray(30))
  const { socket, connection } = await untilTaken()
  client.write('early')
  await delay(50)
  assert.equal(connection.servername, REGISTRY)
  assert.deepEqual(connection.at, { side: 'place', where: PUBLIC })
  assert.ok(connection.head.equals(hello))
  assert.match(connection.pem, /BEGIN CERTIFICATE[\s\S]*PRIVATE KEY/)
  assert.equal(socket.bytesRead, hello.length)
})

for (const [what, bytes] of [
  ['plain http', 'GET / HTTP/1.1\r\n\r\n'],
  ['rubbish', '\u0016\u0003\u0001\u0000\u0004\u0001\u0000\u0000\u0000'],
] as const) {
  test(`${what} is sent away, and nobody else is concerned`, async (t) => {
    const { port, ca } = await listening(t)
    const client = net.connect(port, '127.0.0.1')
    client.on('error', () => {}).resume()
    client.write(Buffer.from(bytes, 'latin1'))
    await events.once(client, 'close')
    const socket = tls.connect({ host: '127.0.0.1', port, ca, servername: 'graph.microsoft.com' })
    await events.once(socket, 'secureConnect')
    socket.destroy()
  })
}

test('a name that nobody has gets an alert', async (t) => {
  const { port, ca } = await listening(t)
  const socket = tls.connect({ host: '127.0.0.1', port, ca, servername: 'nobody.azurecr.io' })
  const [error] = await events.once(socket, 'error').catch((thrown) => [thrown])
  assert.match(String(error), /alert/)
})

test('closed, it resets what is nobody’s yet, and has the others close what is theirs', async (t) => {
  const { port, listener, closed, untilTaken } = await listening(t)
  const [silent, given] = [net.connect(port, '127.0.0.1'), net.connect(port, '127.0.0.1')]
  given.on('error', () => {}).write(await helloOf(REGISTRY))
  silent.write('\u0016')
  const { connection, isWanted } = await untilTaken()
  assert.ok(isWanted())
  const reset = events.once(silent, 'close').catch(({ code }) => assert.equal(code, 'ECONNRESET'))
  await listener.close()
  await reset
  assert.equal(isWanted(), false)
  assert.deepEqual(closed, [connection.listener])
  const late = net.connect(port, '127.0.0.1')
  const [refusal] = await events.once(late, 'error').catch((thrown) => [thrown])
  assert.equal((refusal as { code?: string }).code, 'ECONNREFUSED')
})

/** The first message of a client that never gets an answer. */
async function helloOf(servername: string): Promise<Buffer> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const client = tls.connect({ host: '127.0.0.1', port, servername })
  client.on('error', () => {})
  const [socket] = (await events.once(server, 'connection')) as [net.Socket]
  const [hello] = (await events.once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return hello
}
