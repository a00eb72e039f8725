import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { type Intervene, startCache, until } from '../testing/cache-fixture.ts'
import { assertNoUploads } from '../testing/import-fixture.ts'
import {
  ADMIN,
  basic,
  DATA_HOST,
  type Fixture,
  pushBlob,
  pushImage,
} from '../testing/registry-fixture.ts'

const LAYER = randomBytes(5 << 20)
const DIGEST = digestOf(LAYER)
const PATH = `/v2/hub/app/blobs/${DIGEST}`

/** A cache that has the manifest of an image whose one layer is large. */
async function startWithLayer(t: Parameters<typeof startCache>[0], intervene: Intervene) {
  const cache = await startCache(t, (request, response) =>
    request.url?.includes(DIGEST) && request.headers.authorization
      ? intervene(request, response)
      : false,
  )
  const config = Buffer.from('{}')
  for (const blob of [config, LAYER]) await pushBlob(cache.source, 'team/app', blob)
  const part = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  await cache.source.send('PUT', '/v2/team/app/manifests/v1', {
    headers: { 'content-type': OCI_MANIFEST },
    body: JSON.stringify({
      schemaVersion: 2,
      config: part(config, 'application/vnd.oci.image.config.v1+json'),
      layers: [part(LAYER, 'application/vnd.oci.image.layer.v1.tar')],
    }),
  })
  cache.open()
  // The config comes by itself; nothing but the layer is to be on its way from here on.
  for (const path of ['manifests/v1', `blobs/${digestOf(config)}`]) {
    assert.equal((await cache.target.send('GET', `/v2/hub/app/${path}`)).status, 200)
  }
  return cache
}

/** A pull whose bytes can be looked at while they come. */
function pullSlowly({ address }: Fixture, headers: Readonly<Record<string, string>> = {}) {
  const chunks: Buffer[] = []
  const pull = {
    status: 0,
    received: () => Buffer.concat(chunks),
    ended: Promise.resolve('' as 'whole' | 'broken'),
  }
  pull.ended = new Promise((resolve) => {
    const authorization = basic(ADMIN.user, ADMIN.password)
    const url = `http://${address}${PATH}`
    const request = httpRequest(url, { headers: { authorization, ...headers } }, (response) => {
      pull.status = response.statusCode ?? 0
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve('whole'))
      response.on('error', () => resolve('broken'))
    })
    request.on('error', () => resolve('broken'))
    request.end()
  })
  return pull
}

const startOf = ({ headers }: IncomingMessage) =>
  Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0)

test('a layer is sent on while it comes', async (t) => {
  let goOn: (() => void) | undefined
  const { target } = await startWithLayer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': LAYER.length })
    response.write(LAYER.subarray(0, 3 << 20))
    goOn = () => response.end(LAYER.subarray(3 << 20))
    return true
  })
  const pull = pullSlowly(target)
  await until(() => pull.received().length >= 1 << 20)
  assert.equal(pull.status, 200)
  goOn?.()
  assert.equal(await pull.ended, 'whole')
  assert.equal(digestOf(pull.received()), DIGEST)
  await assertNoUploads(target)
})

test('eight pulls at once fetch it once', async (t) => {
  const { target, asked } = await startWithLayer(t, () => false)
  const pulls = await Promise.all(Array.from({ length: 8 }, () => target.send('GET', PATH)))
  for (const { status, body } of pulls) assert.deepEqual([status, digestOf(body)], [200, DIGEST])
  assert.deepEqual(asked(DIGEST), [`GET ${DIGEST}`])
})

test('a layer that breaks off comes whole all the same', async (t) => {
  let breaks = 2
  const { target, asked } = await startWithLayer(t, (request, response) => {
    if (breaks === 0) return false
    breaks -= 1
    const start = startOf(request)
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': LAYER.length - start,
      ...(start > 0 && { 'content-range': `bytes ${start}-${LAYER.length - 1}/${LAYER.length}` }),
    })
    response.write(LAYER.subarray(start, start + (1 << 20)), () => response.destroy())
    return true
  })
  const pull = pullSlowly(target)
  assert.equal(await pull.ended, 'whole')
  assert.equal(digestOf(pull.received()), DIGEST)
  assert.equal(asked(DIGEST).length, 3)
})

test('a layer with other bytes never comes whole, and nothing of it stays', async (t) => {
  let isForged = true
  const { target } = await startWithLayer(t, (_request, response) => {
    if (!isForged) return false
    response.writeHead(200, { 'content-length': LAYER.length })
    response.end(Buffer.concat([LAYER.subarray(0, -1), Buffer.from('x')]))
    return true
  })
  const pull = pullSlowly(target)
  assert.equal(await pull.ended, 'broken')
  assert.ok(pull.received().length < LAYER.length)
  await assertNoUploads(target)
  isForged = false
  assert.equal(digestOf((await target.send('GET', PATH)).body), DIGEST)
})

test('a layer that stops coming ends the pull in bounded time', async (t) => {
  const { target } = await startWithLayer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': LAYER.length })
    response.write(LAYER.subarray(0, 1000))
    return true
  })
  const pull = pullSlowly(target)
  assert.equal(await pull.ended, 'broken')
  await assertNoUploads(target)
})

for (const [status, code, answered] of [
  [404, 'BLOB_UNKNOWN', 404],
  [403, 'DENIED', 403],
  [500, 'UNAVAILABLE', 503],
] as const) {
  test(`${answered}: a layer for which the source says ${status}`, async (t) => {
    const { target } = await startWithLayer(t, (_request, response) => {
      response.writeHead(status).end()
      return true
    })
    const answer = await target.send('GET', PATH)
    assert.deepEqual([answer.status, answer.code], [answered, code])
    await assertNoUploads(target)
  })
}

test('a part of a layer is served while it comes', async (t) => {
  const { target } = await startWithLayer(t, () => false)
  const pull = pullSlowly(target, { range: 'bytes=1000-1999' })
  assert.equal(await pull.ended, 'whole')
  assert.equal(pull.status, 206)
  assert.deepEqual(pull.received(), LAYER.subarray(1000, 2000))
})

test('HEAD tells the size of a layer and lets it come', async (t) => {
  const { target, asked } = await startWithLayer(t, () => false)
  const { status, headers } = await target.send('HEAD', PATH)
  assert.deepEqual([status, headers['content-length']], [200, String(LAYER.length)])
  assert.equal(digestOf((await target.send('GET', PATH)).body), DIGEST)
  assert.equal(asked(DIGEST).length, 1)
})

test('the way to a data endpoint is taken by what is still coming', async (t) => {
  const { target, asked } = await startWithLayer(t, () => false)
  target.facts = { ...target.facts, redirectsBlobs: true }
  const away = await target.send('GET', PATH)
  assert.equal(away.status, 307)
  const { pathname, search, host } = new URL(String(away.headers.location))
  assert.equal(host, DATA_HOST)
  const blob = await target.send('GET', `${pathname}${search}`, { host, authorization: '' })
  assert.equal(digestOf(blob.body), DIGEST)
  assert.equal(asked(DIGEST).length, 1)
})

test('404: what no manifest here names is not asked for', async (t) => {
  const { source, target, open, requests } = await startCache(t)
  const { layer } = await pushImage(source, 'team/app', 'v1')
  open()
  const answer = await target.send('GET', `/v2/hub/app/blobs/${layer}`)
  assert.deepEqual([answer.status, answer.code], [404, 'BLOB_UNKNOWN'])
  assert.deepEqual(requests, [])
})

test('a source that names the digest of somebody’s secret does not get it out', async (t) => {
  const { target } = await startWithLayer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': LAYER.length }).end(randomBytes(LAYER.length))
    return true
  })
  const { facts } = target
  target.facts = { ...facts, uid: 'uid-2' }
  await pushBlob(target, 'secret', LAYER)
  target.facts = facts
  const pull = pullSlowly(target)
  assert.equal(await pull.ended, 'broken')
  assert.notDeepEqual(pull.received().subarray(0, 1000), LAYER.subarray(0, 1000))
})
