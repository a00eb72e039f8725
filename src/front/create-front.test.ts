import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import https from 'node:https'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { type ListenerOrigin, originOf } from '../lib/origin.ts'
import { frontFor, get } from './front-for-tests.ts'

const run = promisify(execFile)

const PUBLIC: ListenerOrigin = { via: 'public', place: 'net-1', egressAddress: '20.61.0.7' }
const ENDPOINT: ListenerOrigin = {
  via: 'endpoint',
  place: 'net-1',
  endpoint: '/subscriptions/s/endpoint',
  host: 'shop.azurecr.io',
  address: '10.0.0.7',
}

for (const [name, plane] of [
  ['management.azure.com', 'control'],
  ['login.microsoftonline.com', 'authority'],
  ['login.windows.net', 'authority'],
  ['shop.azurecr.io', 'registry'],
  ['mcr.microsoft.com', 'registry'],
  ['graph.microsoft.com', 'graph'],
] as const) {
  test(`${name} leads to the plane ${plane}`, async (t) => {
    const { listen } = await frontFor(t)
    const { get } = await listen(PUBLIC)
    assert.deepEqual(await get(name), { status: 200, body: `${plane} ${name}` })
  })
}

test('a Host with a port and in another case is the same host', async (t) => {
  const { listen } = await frontFor(t)
  const { get } = await listen(PUBLIC)
  const { body } = await get('shop.azurecr.io', { headers: { host: 'Shop.AzureCR.io:443' } })
  assert.equal(body, 'registry shop.azurecr.io')
})

test('a name in the handshake in another case and with its final dot is the same name', async (t) => {
  const { listen } = await frontFor(t)
  const { get } = await listen(PUBLIC)
  assert.equal((await get('Shop.AzureCR.io.')).body, 'registry shop.azurecr.io')
})

for (const servername of [
  'nobody.azurecr.io',
  'shop.privatelink.azurecr.io',
  'example.com',
  'azurecr.io',
]) {
  test(`${servername} gets an alert in place of a certificate`, async (t) => {
    const { listen } = await frontFor(t)
    const { get } = await listen(PUBLIC)
    await assert.rejects(get(servername), /alert/)
  })
}

test('a client that names no server gets an alert', async (t) => {
  const { listen, ca } = await frontFor(t)
  const { port } = await listen(PUBLIC)
  const socket = tls.connect({ host: '127.0.0.1', port, ca })
  const [error] = await new Promise<unknown[]>((resolve) => {
    socket.on('error', (...args) => resolve(args))
    socket.on('secureConnect', () => resolve(['connected']))
  })
  assert.match(String(error), /alert/)
})

test('421: a Host of another plane than the handshake', async (t) => {
  const { listen } = await frontFor(t)
  const { get } = await listen(PUBLIC)
  const headers = { host: 'shop.azurecr.io' }
  assert.equal((await get('management.azure.com', { headers })).status, 421)
  assert.equal((await get('shop.azurecr.io', { headers: { host: '10.0.0.7' } })).status, 421)
})

test('400: a request target with a host of its own', async (t) => {
  const { listen } = await frontFor(t)
  const { get } = await listen(PUBLIC)
  const { status } = await get('shop.azurecr.io', { path: 'https://management.azure.com/x' })
  assert.equal(status, 400)
})

test('an endpoint serves its own host and no other', async (t) => {
  const { listen } = await frontFor(t)
  const { get } = await listen(ENDPOINT)
  assert.equal((await get('shop.azurecr.io')).body, 'registry shop.azurecr.io')
  await assert.rejects(get('management.azure.com'), /alert/)
  await assert.rejects(get('mcr.microsoft.com'), /alert/)
  const headers = { host: 'mcr.microsoft.com' }
  assert.equal((await get('shop.azurecr.io', { headers })).status, 421)
})

test('a request carries where its listener stands', async (t) => {
  const { listen } = await frontFor(t, (request, response) =>
    response.end(JSON.stringify(originOf(request))),
  )
  const seen = async (where: ListenerOrigin) =>
    JSON.parse((await (await listen(where)).get('shop.azurecr.io')).body)
  assert.deepEqual(await seen(PUBLIC), { via: 'public', place: 'net-1', address: '20.61.0.7' })
  assert.deepEqual(await seen({ via: 'public', place: 'internet' }), {
    via: 'public',
    place: 'internet',
    address: '127.0.0.1',
  })
  assert.deepEqual(await seen(ENDPOINT), { ...ENDPOINT, address: '127.0.0.1' })
})

test('closing a listener ends a transfer in progress and frees the port', async (t) => {
  const { listen, ca } = await frontFor(t, (_request, response) => {
    const chunk = Buffer.alloc(64 * 1024)
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', more)
    more()
  })
  const { port, close } = await listen(ENDPOINT)
  const options = { host: '127.0.0.1', port, servername: 'shop.azurecr.io', ca, agent: false }
  const ended = new Promise<Error>((resolve, reject) => {
    const headers = { host: 'shop.azurecr.io' }
    const request = https.get({ ...options, headers }, (response) => {
      response.once('data', () => void close())
      response.on('error', resolve)
      response.on('end', () => reject(new Error('the transfer ended as if it were whole')))
    })
    request.on('error', resolve)
  })
  assert.equal(((await ended) as NodeJS.ErrnoException).code, 'ECONNRESET')
  await assert.rejects(get(options), { code: 'ECONNREFUSED' })
})

test('closing a listener ends idle connections, also in the middle of a handshake', async (t) => {
  const { listen } = await frontFor(t)
  const { port, close } = await listen(PUBLIC)
  const socket = net.connect(port, '127.0.0.1')
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  await new Promise((resolve) => setImmediate(resolve))
  await close()
  await close()
  await closed
})

test('a client that expects to be told to go on is told so', async (t) => {
  const { listen, ca } = await frontFor(t, (request, response) => request.pipe(response))
  const { port } = await listen(PUBLIC)
  const body = await new Promise<string>((resolve, reject) => {
    const request = https.request({
      host: '127.0.0.1',
      port,
      ca,
      agent: false,
      method: 'PUT',
      servername: 'shop.azurecr.io',
      headers: { host: 'shop.azurecr.io', expect: '100-continue', 'content-length': 5 },
    })
    request.on('continue', () => request.end('hello'))
    request.on('response', (response) => response.on('data', (data) => resolve(String(data))))
    request.on('error', reject)
    request.flushHeaders()
  })
  assert.equal(body, 'hello')
})

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a resumed ${maxVersion} session is served like a new one`, async (t) => {
    const { listen, ca } = await frontFor(t)
    const { port, get } = await listen(ENDPOINT)
    const session = await sessionOf({ host: '127.0.0.1', port, ca, maxVersion })
    const again = { session, maxVersion }
    assert.equal((await get('shop.azurecr.io', again)).body, 'registry shop.azurecr.io')
    const headers = { host: 'management.azure.com' }
    assert.equal((await get('shop.azurecr.io', { ...again, headers })).status, 421)
  })
}

/** A session that can be resumed, after one whole request for shop.azurecr.io. */
function sessionOf(options: tls.ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ ...options, servername: 'shop.azurecr.io' })
    socket.on('error', reject)
    socket.once('session', (session) => {
      resolve(session)
      socket.end()
    })
    socket.end('GET / HTTP/1.1\r\nHost: shop.azurecr.io\r\nConnection: close\r\n\r\n')
    socket.resume()
  })
}

test('curl accepts the certificates with the trust store of places', async (t) => {
  const { listen, authorities } = await frontFor(t)
  const { port } = await listen(PUBLIC)
  const curl = (url: string, ca: string) =>
    run('curl', [
      '-sS',
      '--noproxy',
      '*',
      '--cacert',
      ca,
      '--connect-to',
      `::127.0.0.1:${port}`,
      url,
    ])
  try {
    await run('curl', ['--version'])
  } catch {
    return t.skip('curl is not installed')
  }
  const { stdout } = await curl('https://shop.azurecr.io/v2/', authorities.placeBundle)
  assert.equal(stdout, 'registry shop.azurecr.io')
  await assert.rejects(
    curl('https://shop.azurecr.io/v2/', authorities.host.certificateFile),
    /certificate/,
  )
})
