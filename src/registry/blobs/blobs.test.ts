import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { basic, pushBlob, startRegistry } from '../testing/registry-fixture.ts'

const LARGE = randomBytes(5 * 1024 * 1024 + 17)

test('a blob comes back as it was pushed, whole and in parts', async (t) => {
  const registry = await startRegistry(t)
  const digest = await pushBlob(registry, 'app', LARGE)
  const whole = await registry.send('GET', `/v2/app/blobs/${digest}`)
  assert.equal(whole.status, 200)
  assert.equal(digestOf(whole.body), digest)
  assert.equal(whole.headers['docker-content-digest'], digest)
  const head = await registry.send('HEAD', `/v2/app/blobs/${digest}`)
  assert.deepEqual([head.status, head.headers['content-length']], [200, String(LARGE.length)])

  for (const [range, contentRange, start, end] of [
    ['bytes=0-0', `bytes 0-0/${LARGE.length}`, 0, 1],
    ['bytes=1048575-3145728', `bytes 1048575-3145728/${LARGE.length}`, 1048575, 3145729],
    ['bytes=-5', `bytes ${LARGE.length - 5}-${LARGE.length - 1}/${LARGE.length}`, -5, undefined],
    ['bytes=5242880-', `bytes 5242880-${LARGE.length - 1}/${LARGE.length}`, 5242880, undefined],
  ] as const) {
    const part = await registry.send('GET', `/v2/app/blobs/${digest}`, { headers: { range } })
    assert.equal(part.status, 206, range)
    assert.equal(part.headers['content-range'], contentRange)
    assert.deepEqual(part.body, LARGE.subarray(start, end), range)
  }
  const beyond = await registry.send('GET', `/v2/app/blobs/${digest}`, {
    headers: { range: `bytes=${LARGE.length}-` },
  })
  assert.deepEqual(
    [beyond.status, beyond.headers['content-range']],
    [416, `bytes */${LARGE.length}`],
  )
})

test('an empty blob and one named by SHA-512 are blobs like any other', async (t) => {
  const registry = await startRegistry(t)
  for (const [bytes, algorithm] of [
    [Buffer.alloc(0), 'sha256'],
    [Buffer.from('long digest'), 'sha512'],
  ] as const) {
    const digest = digestOf(bytes, algorithm)
    const begun = await registry.send('POST', '/v2/app/blobs/uploads/')
    const location = begun.headers.location ?? ''
    const sent = await registry.send('PATCH', location, { body: bytes })
    const closed = await registry.send('PUT', `${sent.headers.location}&digest=${digest}`)
    assert.equal(closed.status, 201)
    assert.deepEqual((await registry.send('GET', `/v2/app/blobs/${digest}`)).body, bytes)
  }
})

test('chunks are taken in order, also after a restart in the middle', async (t) => {
  const first = await startRegistry(t)
  const begun = await first.send('POST', '/v2/app/blobs/uploads/')
  assert.equal(begun.status, 202)
  const half = LARGE.length >> 1
  const sent = await first.send('PATCH', begun.headers.location ?? '', {
    body: LARGE.subarray(0, half),
    headers: { 'content-range': `0-${half - 1}` },
  })
  assert.deepEqual([sent.status, sent.headers.range], [202, `0-${half - 1}`])

  const second = await first.restart()
  const status = await second.send('GET', begun.headers.location ?? '')
  assert.deepEqual([status.status, status.headers.range], [204, `0-${half - 1}`])
  const closed = await second.send('PUT', `${status.headers.location}&digest=${digestOf(LARGE)}`, {
    body: LARGE.subarray(half),
    headers: { 'content-range': `${half}-${LARGE.length - 1}` },
  })
  assert.equal(closed.status, 201)
  const pulled = await second.send('GET', `/v2/app/blobs/${digestOf(LARGE)}`)
  assert.ok(pulled.body.equals(LARGE))
})

test('416: a chunk that does not follow is refused and says where to go on', async (t) => {
  const registry = await startRegistry(t)
  const begun = await registry.send('POST', '/v2/app/blobs/uploads/')
  const location = begun.headers.location ?? ''
  await registry.send('PATCH', location, {
    body: '0123456789',
    headers: { 'content-range': '0-9' },
  })
  for (const ask of [
    { body: '0123456789', headers: { 'content-range': '0-9' } },
    { body: '0123456789', headers: { 'content-range': '20-29' } },
    // The same request again, without a range: its location names the offset that it was for.
    { body: '0123456789' },
  ]) {
    const answer = await registry.send('PATCH', location, ask)
    assert.deepEqual([answer.status, answer.headers.range], [416, '0-9'])
  }
  const late = await registry.send('PUT', `${location}&digest=${digestOf(Buffer.from('x'))}`, {
    body: 'x',
    headers: { 'content-range': '5-5' },
  })
  assert.equal(late.status, 416)
  const short = await registry.send('PATCH', location, {
    body: 'abc',
    headers: { 'content-range': '10-29' },
  })
  assert.deepEqual([short.status, short.code], [400, 'SIZE_INVALID'])
})

test('what arrived before a client went away is kept, and the upload goes on from there', async (t) => {
  const registry = await startRegistry(t)
  const begun = await registry.send('POST', '/v2/app/blobs/uploads/')
  const location = begun.headers.location ?? ''
  await new Promise<void>((resolve) => {
    const request = httpRequest({
      port: Number(registry.address.split(':')[1]),
      host: '127.0.0.1',
      method: 'PATCH',
      path: location,
      headers: { host: registry.address, authorization: basic('app-owner', 'secret') },
    })
    request.on('error', () => undefined)
    request.on('close', () => resolve())
    request.write(LARGE.subarray(0, 2_000_000), () => request.destroy())
  })
  const status = await registry.send('GET', location)
  const received = Number(status.headers.range?.split('-')[1]) + 1
  const rest = received === 1 ? LARGE : LARGE.subarray(received)
  const closed = await registry.send(
    'PUT',
    `${status.headers.location}&digest=${digestOf(LARGE)}`,
    { body: rest },
  )
  assert.equal(closed.status, 201)
})

test('400: bytes of another digest never become a blob', async (t) => {
  const registry = await startRegistry(t)
  const wrong = digestOf(Buffer.from('something else'))
  const answer = await registry.send('POST', `/v2/app/blobs/uploads/?digest=${wrong}`, {
    body: 'bytes',
  })
  assert.deepEqual([answer.status, answer.code], [400, 'DIGEST_INVALID'])
  assert.equal((await registry.send('HEAD', `/v2/app/blobs/${wrong}`)).status, 404)
  const garbled = await registry.send('GET', '/v2/app/blobs/sha256:abc')
  assert.deepEqual([garbled.status, garbled.code], [400, 'DIGEST_INVALID'])
})

test('an upload is known under its own repository only, and gone once cancelled', async (t) => {
  const registry = await startRegistry(t)
  const begun = await registry.send('POST', '/v2/app/blobs/uploads/')
  const location = begun.headers.location ?? ''
  const elsewhere = await registry.send('GET', location.replace('/app/', '/other/'))
  assert.deepEqual([elsewhere.status, elsewhere.code], [404, 'BLOB_UPLOAD_UNKNOWN'])
  assert.equal((await registry.send('DELETE', location)).status, 204)
  const gone = await registry.send('PATCH', location, { body: 'x' })
  assert.deepEqual([gone.status, gone.code], [404, 'BLOB_UPLOAD_UNKNOWN'])
})

test('a blob is seen where it was pushed or mounted, and mounted only by who may read its source', async (t) => {
  const registry = await startRegistry(t)
  const digest = await pushBlob(registry, 'secret/app', Buffer.from('shared layer'))
  assert.equal((await registry.send('HEAD', `/v2/copy/blobs/${digest}`)).status, 404)
  const mount = `/v2/copy/blobs/uploads/?mount=${digest}&from=secret/app`
  const token = await tokenFor(registry, 'repository:copy:pull,push')
  const refused = await registry.send('POST', mount, { authorization: `Bearer ${token}` })
  assert.equal(refused.status, 401)
  assert.equal((await registry.send('HEAD', `/v2/copy/blobs/${digest}`)).status, 404)
  assert.equal((await registry.send('POST', mount)).status, 201)
  assert.equal((await registry.send('HEAD', `/v2/copy/blobs/${digest}`)).status, 200)
  assert.equal((await registry.send('DELETE', `/v2/copy/blobs/${digest}`)).status, 202)
  assert.equal((await registry.send('HEAD', `/v2/copy/blobs/${digest}`)).status, 404)
  assert.equal((await registry.send('HEAD', `/v2/secret/app/blobs/${digest}`)).status, 200)
})

test('a client that leaves in the middle of a blob leaves the registry well', async (t) => {
  const registry = await startRegistry(t)
  const digest = await pushBlob(registry, 'app', LARGE)
  for (let round = 0; round < 5; round += 1) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(registry.address.split(':')[1]), '127.0.0.1')
      socket.write(
        `GET /v2/app/blobs/${digest} HTTP/1.1\r\nHost: ${registry.address}\r\nAuthorization: ${basic('app-reader', 'secret')}\r\n\r\n`,
      )
      socket.once('data', () => socket.destroy())
      socket.on('close', () => resolve())
    })
  }
  const whole = await registry.send('GET', `/v2/app/blobs/${digest}`)
  assert.ok(whole.body.equals(LARGE))
  assert.deepEqual(registry.logged, [])
})

async function tokenFor(registry: Awaited<ReturnType<typeof startRegistry>>, scope: string) {
  const answer = await registry.send('GET', `/oauth2/token?scope=${encodeURIComponent(scope)}`)
  return String(answer.json().access_token)
}
