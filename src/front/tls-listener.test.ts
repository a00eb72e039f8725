import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { pino } from 'pino'
import { openAuthorities } from './authorities.ts'
import { temporaryFolder } from './front-for-tests.ts'
import { createTlsListener } from './tls-listener.ts'

test('408: a client that never finishes the head of its request is sent away', async (t) => {
  const { host } = await openAuthorities(await temporaryFolder(t), { registryDomain: 'azurecr.io' })
  const server = net.createServer()
  const listener = createTlsListener(server, {
    log: pino({ level: 'silent' }),
    certificateFor: (name) => host.leafFor(name),
    handle: (_request, response) => response.end(),
    headersMsMax: 100,
  })
  t.after(() => listener.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  const ca = await readFile(host.certificateFile, 'utf8')
  const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca })
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n')
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  assert.match(answer, /^HTTP\/1\.1 408 /)
})
