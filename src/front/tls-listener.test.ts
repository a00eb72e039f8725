import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import net from 'node:net'
import { type TestContext, test } from 'node:test'
import tls from 'node:tls'
import { pino } from 'pino'
import { openAuthorities } from './authorities.ts'
import { temporaryFolder } from './front-for-tests.ts'
import { createTlsListener } from './tls-listener.ts'

/** A listener whose requests `handle` answers; returns what one connection gets for `request`, to its end. */
async function ask(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  request: string,
): Promise<string> {
  const { host } = await openAuthorities(await temporaryFolder(t), { registryDomain: 'azurecr.io' })
  const server = net.createServer()
  const listener = createTlsListener(server, {
    log: pino({ level: 'silent' }),
    certificateFor: (name) => host.leafFor(name),
    handle,
    headersMsMax: 100,
  })
  t.after(() => listener.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const ca = await readFile(host.certificateFile, 'utf8')
  const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca })
  socket.write(request)
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return answer
}

test('408: a client that never finishes the head of its request is sent away', async (t) => {
  const answer = await ask(
    t,
    (_request, response) => response.end(),
    'GET / HTTP/1.1\r\nHost: localhost\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 408 /)
})

test('a request that has no body comes to its end for those who wait for it', {
  timeout: 10_000,
}, async (t) => {
  const answer = await ask(
    t,
    (request, response) => void request.resume().once('end', () => response.end()),
    'DELETE / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 200 /)
})
