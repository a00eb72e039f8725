import assert from 'node:assert/strict'
import { Agent, request } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { startTlsServer } from '../../test/support/tls-server.ts'
import { takeBytes } from './connection-bytes.ts'

test('tells of each request on a connection what it carried, without what TLS adds', async (t) => {
  const taken: ReturnType<typeof takeBytes>[] = []
  const connections = new Set<unknown>()
  const server = await startTlsServer(async (incoming, response) => {
    connections.add(incoming.socket)
    const body = await buffer(incoming)
    response.once('close', () => taken.push(takeBytes(incoming.socket)))
    response.end(Buffer.alloc(body.length * 2))
  })
  t.after(() => server.close())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const send = (bytes: number) =>
    new Promise<void>((resolve, reject) => {
      const outgoing = request(
        { port: server.port, host: '127.0.0.1', method: 'POST', ca: server.authority, agent },
        (answer) => {
          answer.resume()
          answer.once('end', resolve)
        },
      )
      outgoing.once('error', reject)
      outgoing.end(Buffer.alloc(bytes))
    })
  const sizes = [1_000_000, 10, 200_000]
  for (const size of sizes) await send(size)
  while (taken.length < sizes.length) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(connections.size, 1)
  // Heads are some hundred bytes; TLS alone would add more than a kilobyte to the first.
  for (const [index, size] of sizes.entries()) {
    const { received = 0, sent = 0 } = taken[index] ?? {}
    assert.ok(received >= size && received < size + 400, `${received} for ${size}`)
    assert.ok(sent >= size * 2 && sent < size * 2 + 400, `${sent} for ${size * 2}`)
  }
})
