import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { DATA_HOST, pushBlob, startRegistry } from '../testing/registry-fixture.ts'

const BYTES = Buffer.from('what the data endpoint serves')

async function startWithRedirect(t: Parameters<typeof startRegistry>[0]) {
  const registry = await startRegistry(t)
  registry.facts = { ...registry.facts, redirectsBlobs: true }
  const digest = await pushBlob(registry, 'app', BYTES)
  const answer = await registry.send('GET', `/v2/app/blobs/${digest}`)
  const url = new URL(String(answer.headers.location))
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    registry.send(method, path, { host: DATA_HOST, authorization: '', headers })
  return { registry, digest, answer, url, path: url.pathname + url.search, get }
}

test('a blob is read at the data endpoint with the URL alone', async (t) => {
  const { registry, digest, answer, url, path, get } = await startWithRedirect(t)
  assert.equal(answer.status, 307)
  assert.equal(url.host, DATA_HOST)
  assert.deepEqual((await get(path)).body, BYTES)
  const part = await get(path, { range: 'bytes=5-8' })
  assert.deepEqual([part.status, part.body.toString()], [206, 'the '])
  const head = await get(path, {}, 'HEAD')
  assert.deepEqual([head.status, head.headers['content-length']], [200, String(BYTES.length)])
  const known = await registry.send('HEAD', `/v2/app/blobs/${digest}`)
  assert.equal(known.status, 200)
})

test('403: a signed URL opens one blob, for twenty minutes, of this very registry', async (t) => {
  const { registry, digest, url, path, get } = await startWithRedirect(t)
  const other = await pushBlob(registry, 'app', Buffer.from('another'))
  await pushBlob(registry, 'other', BYTES)
  const later = new URLSearchParams(url.search)
  later.set('se', String(Number(later.get('se')) + 60))
  for (const wrong of [
    path.replace(digest, other),
    path.replace('/app/', '/other/'),
    `${url.pathname}?${later}`,
    `${url.pathname}?se=${url.searchParams.get('se')}&sig=AAAA`,
    url.pathname,
    path.replace(digest, digestOf(Buffer.from('nowhere'))),
  ]) {
    const answer = await get(wrong)
    assert.deepEqual([answer.status, answer.code], [403, 'DENIED'], wrong)
  }
  const { now, facts } = registry
  registry.facts = { ...facts, uid: 'uid-2' }
  assert.equal((await get(path)).status, 403)
  registry.facts = facts
  registry.now = new Date(now.getTime() + 20 * 60 * 1000)
  assert.equal((await get(path)).status, 403)
})

test('the data endpoint serves nothing but signed blobs', async (t) => {
  const { path, get } = await startWithRedirect(t)
  assert.equal((await get('/v2/')).status, 404)
  assert.equal((await get('/oauth2/token')).status, 404)
  assert.equal((await get(path, {}, 'DELETE')).status, 405)
})

test('403: a URL got inside is worth nothing where public access is off', async (t) => {
  const { registry, path, get } = await startWithRedirect(t)
  registry.facts = { ...registry.facts, publicAccess: { kind: 'none' } }
  const answer = await get(path)
  assert.match(answer.body.toString(), /client with IP '203\.0\.113\.7' is not allowed access/)
  assert.ok(!JSON.stringify(registry.logged).includes('sig='))
})
