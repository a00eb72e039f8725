import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { ADMIN, basic, type Fixture, startRegistry } from '../testing/registry-fixture.ts'

const LARGE = Buffer.alloc(20 * 1024 * 1024)
const IN_ONE_CHUNK = Buffer.concat([
  Buffer.from(`${LARGE.length.toString(16)}\r\n`),
  LARGE,
  Buffer.from('\r\n0\r\n\r\n'),
])

for (const [what, framing, body] of [
  ['of known length', `Content-Length: ${LARGE.length}`, LARGE],
  ['in chunks', 'Transfer-Encoding: chunked', IN_ONE_CHUNK],
] as const) {
  test(`413: a connection serves the next request after a manifest too large ${what}`, async (t) => {
    const registry = await startRegistry(t)
    const { socket, received } = await connectTo(registry)
    socket.write(`${headOf(registry, 'PUT /v2/app/manifests/v1')}${framing}\r\n\r\n`)
    socket.write(body)
    socket.write(`${headOf(registry, 'GET /v2/')}Connection: close\r\n\r\n`)
    assert.deepEqual(statusesOf(await received), ['413', '200'])
  })

  test(`413: a client that wants the connection closed can send a manifest too large ${what} and read the answer`, async (t) => {
    const registry = await startRegistry(t)
    const { socket, received } = await connectTo(registry)
    const head = `${headOf(registry, 'PUT /v2/app/manifests/v1')}Connection: close\r\n${framing}\r\n\r\n`
    await new Promise<void>((resolve, reject) => {
      socket.write(head)
      socket.write(body, (error) => (error ? reject(error) : resolve()))
    })
    assert.deepEqual(statusesOf(await received), ['413'])
  })
}

const headOf = ({ address }: Fixture, line: string): string =>
  `${line} HTTP/1.1\r\nHost: ${address}\r\nAuthorization: ${basic(ADMIN.user, ADMIN.password)}\r\n`

const statusesOf = (text: string): readonly string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status = '']) => status)

/** A connection, and all that comes back on it until the server ends it. */
async function connectTo({
  address,
}: Fixture): Promise<{ socket: Socket; received: Promise<string> }> {
  const [host = '', port] = address.split(':')
  const socket = connect(Number(port), host)
  const received = new Promise<string>((resolve, reject) => {
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part
    })
    socket.on('error', reject)
    socket.on('end', () => resolve(text))
  })
  // Awaited by the test after it has written.
  received.catch(() => undefined)
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return { socket, received }
}
