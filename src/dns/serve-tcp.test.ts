import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { serveDnsOverTcp, type TcpLimits } from './serve-tcp.ts'

/** A server on loopback that answers every message with the message itself. */
async function echo(t: TestContext, limits: TcpLimits = {}) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const closable = serveDnsOverTcp(server, (message) => message, limits)
  t.after(() => closable.close())
  const open = async () => {
    const socket = connect(port, '127.0.0.1')
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  return { port, open, closable }
}

const framed = (message: Buffer) =>
  Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])

async function read(socket: Socket, bytes: number): Promise<Buffer> {
  let received: Buffer = Buffer.alloc(0)
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk])
    if (received.length >= bytes) break
  }
  return received
}

test('messages pipelined on one connection, cut anywhere, are all answered in order', async (t) => {
  const { open } = await echo(t)
  const socket = await open()
  const bytes = Buffer.concat(['one', 'two', 'three'].map((text) => framed(Buffer.from(text))))
  for (const [from, to] of [
    [0, 1],
    [1, 6],
    [6, 99],
  ]) {
    await new Promise((resolve) => socket.write(bytes.subarray(from, to), resolve))
  }
  assert.deepEqual(await read(socket, bytes.length), bytes)
})

test('a client that asks much and reads late gets everything', async (t) => {
  const { open } = await echo(t)
  const socket = await open()
  const message = framed(Buffer.alloc(60_000, 7))
  const messages = 200
  socket.write(Buffer.concat(Array.from({ length: messages }, () => message)))
  assert.equal((await read(socket, messages * message.length)).length, messages * message.length)
})

test('an idle connection is closed', async (t) => {
  const { open } = await echo(t, { idleMilliseconds: 20 })
  const socket = (await open()).resume()
  await once(socket, 'close')
})

test('connections beyond the bound are refused', async (t) => {
  const { open } = await echo(t, { connectionsMax: 1 })
  const first = await open()
  const second = (await open()).resume()
  await once(second, 'close')
  first.write(framed(Buffer.from('still here')))
  assert.equal((await read(first, 12)).length, 12)
})

test('closing ends open connections and frees the port', async (t) => {
  const { port, open, closable } = await echo(t)
  const socket = (await open()).resume()
  const ended = once(socket, 'close')
  await closable.close()
  await ended
  const again = createServer().listen(port, '127.0.0.1')
  await once(again, 'listening')
  again.close()
})
