import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { startCache } from '../testing/cache-fixture.ts'
import { assertNothingLeft } from '../testing/import-fixture.ts'
import { pushImage, RECHECK_SECONDS } from '../testing/registry-fixture.ts'

type Fail = (response: ServerResponse) => void

const refuses =
  (status: number, headers: Readonly<Record<string, string>> = {}): Fail =>
  (response) =>
    response.writeHead(status, headers).end()
const breaks: Fail = (response) => response.destroy()
const says: Fail = () => undefined

for (const [what, fail] of [
  ['fails', refuses(500)],
  ['throttles', refuses(429, { 'retry-after': '60' })],
  ['breaks off', breaks],
  ['says nothing', says],
  ['refuses its credentials', refuses(403)],
  ['sends nonsense', (response) => response.end('<html>')],
] as const satisfies readonly (readonly [string, Fail])[]) {
  test(`when the source ${what}, what is here is served`, async (t) => {
    let isFailing = false
    const { source, target, open } = await startCache(t, (request, response) => {
      if (!isFailing || !request.headers.authorization) return false
      fail(response)
      return true
    })
    const { digest, layer } = await pushImage(source, 'team/app', 'v1')
    open()
    await target.send('GET', '/v2/hub/app/manifests/v1')
    await target.send('GET', `/v2/hub/app/blobs/${layer}`)
    isFailing = true
    target.now = new Date(target.now.getTime() + RECHECK_SECONDS * 1000)
    const manifest = await target.send('GET', '/v2/hub/app/manifests/v1')
    assert.deepEqual(
      [manifest.status, manifest.headers['docker-content-digest']],
      [200, digest],
      manifest.body.toString(),
    )
    assert.equal((await target.send('GET', `/v2/hub/app/blobs/${layer}`)).status, 200)
  })
}

for (const [what, fail, status, code, retryAfter] of [
  ['does not have it', refuses(404), 404, 'MANIFEST_UNKNOWN', undefined],
  ['fails', refuses(500), 503, 'UNAVAILABLE', '30'],
  ['throttles', refuses(429, { 'retry-after': '77' }), 429, 'TOOMANYREQUESTS', '77'],
  ['breaks off', breaks, 503, 'UNAVAILABLE', '30'],
  ['says nothing', says, 503, 'UNAVAILABLE', '30'],
  ['refuses its credentials', refuses(403), 403, 'DENIED', undefined],
  ['sends nonsense', (response) => response.end('<html>'), 404, 'MANIFEST_UNKNOWN', undefined],
  [
    'sends something else than it says',
    (response) =>
      response
        .writeHead(200, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` })
        .end('{"schemaVersion":2}'),
    404,
    'MANIFEST_UNKNOWN',
    undefined,
  ],
] as const satisfies readonly (readonly [string, Fail, number, string, string | undefined])[]) {
  test(`${status}: when nothing is here and the source ${what}`, async (t) => {
    const { target, open } = await startCache(t, (request, response) => {
      if (!request.headers.authorization || request.url?.startsWith('/oauth2')) return false
      fail(response)
      return true
    })
    open()
    const answer = await target.send('GET', '/v2/hub/app/manifests/v1')
    assert.deepEqual(
      [answer.status, answer.code, answer.headers['retry-after']],
      [status, code, retryAfter],
    )
    await assertNothingLeft(target)
  })
}

test('a source that failed is left alone for half a minute', async (t) => {
  let isFailing = false
  const { source, target, open, asked } = await startCache(t, (request, response) => {
    if (!isFailing || !request.headers.authorization) return false
    response.writeHead(503).end()
    return true
  })
  await pushImage(source, 'team/app', 'v1')
  open()
  const pull = () => target.send('GET', '/v2/hub/app/manifests/v1')
  await pull()
  isFailing = true
  target.now = new Date(target.now.getTime() + RECHECK_SECONDS * 1000)
  for (let pulls = 0; pulls < 5; pulls++) assert.equal((await pull()).status, 200)
  assert.deepEqual(asked('/manifests/'), ['GET v1', 'HEAD v1'])
  isFailing = false
  target.now = new Date(target.now.getTime() + 30_000)
  assert.equal((await pull()).status, 200)
  assert.deepEqual(asked('/manifests/').slice(2), ['HEAD v1'])
})

test('429: a source that throttles is not asked before its time, whatever is wanted of it', async (t) => {
  const { target, open, asked } = await startCache(t, (request, response) => {
    if (!request.headers.authorization || !request.url?.includes('/manifests/')) return false
    response.writeHead(429, { 'retry-after': '60' }).end()
    return true
  })
  open()
  await target.send('GET', '/v2/hub/app/manifests/v1')
  target.now = new Date(target.now.getTime() + 20_000)
  const other = await target.send('GET', '/v2/hub/other/manifests/v1')
  assert.deepEqual([other.status, other.headers['retry-after']], [429, '40'])
  assert.equal(asked('/manifests/').length, 1)
})

test('403: without its secrets a rule asks nobody', async (t) => {
  const { target, rule, open, requests } = await startCache(t)
  open()
  target.facts = { ...target.facts, cacheRules: [{ ...rule, credentialSet: '/unknown' }] }
  const answer = await target.send('GET', '/v2/hub/app/manifests/v1')
  assert.deepEqual([answer.status, answer.code], [403, 'DENIED'])
  assert.match(answer.body.toString(), /source registry for cache rule 'hub-rule'/)
  assert.deepEqual(requests, [])
})

test('a source that lets everybody read needs no credentials', async (t) => {
  const { source, target, rule, open } = await startCache(t)
  await pushImage(source, 'team/app', 'v1')
  open({ anonymousPull: true })
  const { credentialSet: _, ...bare } = rule
  target.facts = { ...target.facts, cacheRules: [bare] }
  assert.equal((await target.send('GET', '/v2/hub/app/manifests/v1')).status, 200)
})
