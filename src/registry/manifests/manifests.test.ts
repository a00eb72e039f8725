import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { pushImage, startRegistry } from '../testing/registry-fixture.ts'
import { OCI_INDEX, OCI_MANIFEST } from './manifest.ts'

const MISSING = digestOf(Buffer.from('not there'))
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json'

test('a manifest comes back byte for byte, by tag and by digest, whatever the client accepts', async (t) => {
  const registry = await startRegistry(t)
  const { answer, body, digest } = await pushImage(registry, 'team/app', 'v1')
  assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [201, digest])
  for (const path of [
    '/v2/team/app/manifests/v1',
    `/v2/team%2Fapp/manifests/${digest.replace(':', '%3A')}`,
  ]) {
    const got = await registry.send('GET', path, { headers: { accept: 'text/plain' } })
    assert.equal(got.status, 200)
    assert.equal(got.headers['content-type'], OCI_MANIFEST)
    assert.equal(got.headers['docker-content-digest'], digest)
    assert.equal(got.body.toString(), body)
    const head = await registry.send('HEAD', path)
    assert.deepEqual([head.headers['content-length'], head.body.length], [String(body.length), 0])
    const headers = { 'if-none-match': `"${digest}"` }
    assert.equal((await registry.send('GET', path, { headers })).status, 304)
  }
})

for (const [name, body, mediaType, status, code] of [
  ['is not JSON', '{', OCI_MANIFEST, 400, 'MANIFEST_INVALID'],
  ['is no object', '[]', OCI_MANIFEST, 400, 'MANIFEST_INVALID'],
  ['lacks a config', '{"schemaVersion":2,"layers":[]}', OCI_MANIFEST, 400, 'MANIFEST_INVALID'],
  ['is of schema 1', '{"schemaVersion":1}', DOCKER, 400, 'MANIFEST_INVALID'],
  ['is of an unknown type', '{"schemaVersion":2}', 'text/plain', 400, 'MANIFEST_INVALID'],
  [
    'says another type than its header',
    `{"schemaVersion":2,"mediaType":"${DOCKER}","manifests":[]}`,
    OCI_INDEX,
    400,
    'MANIFEST_INVALID',
  ],
  [
    'names a part of more bytes than can be',
    `{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"${MISSING}","size":9007199254740991},"layers":[]}`,
    OCI_MANIFEST,
    400,
    'MANIFEST_INVALID',
  ],
  [
    'names a blob that is not there',
    `{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"${MISSING}","size":1},"layers":[]}`,
    OCI_MANIFEST,
    400,
    'MANIFEST_BLOB_UNKNOWN',
  ],
  [
    'names a manifest that is not there',
    `{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"${MISSING}","size":1}]}`,
    OCI_INDEX,
    400,
    'MANIFEST_BLOB_UNKNOWN',
  ],
  ['is larger than 4 MiB', ' '.repeat(4 * 1024 * 1024 + 1), OCI_MANIFEST, 413, 'SIZE_INVALID'],
] as const) {
  test(`${status}: refuses a manifest that ${name}`, async (t) => {
    const registry = await startRegistry(t)
    const answer = await registry.send('PUT', '/v2/app/manifests/v1', {
      body,
      headers: { 'content-type': mediaType },
    })
    assert.deepEqual([answer.status, answer.code], [status, code])
    assert.equal((await registry.send('GET', '/v2/app/tags/list')).code, 'NAME_UNKNOWN')
  })
}

test('400: a manifest pushed by a digest that it has not is refused', async (t) => {
  const registry = await startRegistry(t)
  const { body } = await pushImage(registry, 'app', 'v1')
  const answer = await registry.send('PUT', `/v2/app/manifests/${MISSING}`, {
    body,
    headers: { 'content-type': OCI_MANIFEST },
  })
  assert.deepEqual([answer.status, answer.code], [400, 'DIGEST_INVALID'])
})

for (const [path, status, code] of [
  ['/v2/nobody/manifests/v1', 404, 'NAME_UNKNOWN'],
  ['/v2/app/manifests/v2', 404, 'MANIFEST_UNKNOWN'],
  [`/v2/app/manifests/${MISSING}`, 404, 'MANIFEST_UNKNOWN'],
  [`/v2/app/blobs/${MISSING}`, 404, 'BLOB_UNKNOWN'],
  ['/v2/UPPER/manifests/v1', 400, 'NAME_INVALID'],
  ['/v2/app/../etc/manifests/v1', 400, 'NAME_INVALID'],
  ['/v2/%E0%A4%A/manifests/v1', 400, 'NAME_INVALID'],
  ['/v2/app/manifests/-bad', 404, 'MANIFEST_UNKNOWN'],
  ['/v2/nobody/tags/list', 404, 'NAME_UNKNOWN'],
  ['/v2/app/tags/list?n=-1', 400, 'UNSUPPORTED'],
  ['/elsewhere', 404, 'UNSUPPORTED'],
] as const) {
  test(`${status}: ${path} is ${code}`, async (t) => {
    const registry = await startRegistry(t)
    await pushImage(registry, 'app', 'v1')
    const answer = await registry.send('GET', path)
    assert.deepEqual([answer.status, answer.code], [status, code])
    assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0')
  })
}

test('a tag is deleted alone, a manifest with its tags', async (t) => {
  const registry = await startRegistry(t)
  const { digest } = await pushImage(registry, 'app', 'v1', 'same')
  await pushImage(registry, 'app', 'v2', 'same')
  const tags = async () => (await registry.send('GET', '/v2/app/tags/list')).json().tags
  assert.equal((await registry.send('DELETE', '/v2/app/manifests/v1')).status, 202)
  assert.deepEqual(await tags(), ['v2'])
  assert.equal((await registry.send('DELETE', `/v2/app/manifests/${digest}`)).status, 202)
  assert.deepEqual(await tags(), [])
  const again = await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  assert.deepEqual([again.status, again.code], [404, 'MANIFEST_UNKNOWN'])
})

test('lists come by pages in the order of bytes, to the end', async (t) => {
  const registry = await startRegistry(t)
  // What sorts by its letters alone loses names that begin like another: '-' and '.' come before '/'.
  const names = ['app', 'app-two', 'app.three', 'app/four', 'b']
  for (const name of names) await pushImage(registry, name, 'v1', 'same')
  const seen: unknown[] = []
  for (let path: string | undefined = '/v2/_catalog?n=2'; path; ) {
    const page = await registry.send('GET', path)
    seen.push(...(page.json().repositories as string[]))
    path = /^<(.+)>; rel="next"$/.exec(String(page.headers.link))?.[1]
  }
  assert.deepEqual(seen, names)
  for (const tag of ['v10', 'v2', 'V3']) await pushImage(registry, 'b', tag, 'same')
  const page = await registry.send('GET', '/v2/b/tags/list?n=2&last=V3')
  assert.deepEqual(page.json(), { name: 'b', tags: ['v1', 'v10'] })
  assert.equal(page.headers.link, '</v2/b/tags/list?last=v10&n=2>; rel="next"')
})

test('what refers to a manifest is listed under it, also before it is there', async (t) => {
  const registry = await startRegistry(t)
  const { layer } = await pushImage(registry, 'app', 'v1')
  const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: 8 }
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: 'application/vnd.example.signature',
    config: blob,
    layers: [],
    subject: { mediaType: OCI_MANIFEST, digest: MISSING, size: 1 },
    annotations: { by: 'me' },
  })
  const digest = digestOf(Buffer.from(body))
  const pushed = await registry.send('PUT', `/v2/app/manifests/${digest}`, {
    body,
    headers: { 'content-type': OCI_MANIFEST },
  })
  assert.equal(pushed.headers['oci-subject'], MISSING)
  const filter = '?artifactType=application/vnd.example.signature'
  const listed = await registry.send('GET', `/v2/app/referrers/${MISSING}${filter}`)
  assert.equal(listed.headers['oci-filters-applied'], 'artifactType')
  assert.deepEqual(listed.json().manifests, [
    {
      mediaType: OCI_MANIFEST,
      digest,
      size: body.length,
      artifactType: 'application/vnd.example.signature',
      annotations: { by: 'me' },
    },
  ])
  const other = await registry.send('GET', `/v2/app/referrers/${MISSING}?artifactType=x/y`)
  assert.deepEqual(other.json().manifests, [])
})

test('405: a method that a path does not have is refused with those that it has', async (t) => {
  const registry = await startRegistry(t)
  const answer = await registry.send('POST', '/v2/app/manifests/v1')
  assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET, HEAD, PUT, DELETE'])
})
