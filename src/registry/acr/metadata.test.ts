import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'
import { basic, pushImage, startRegistry } from '../testing/registry-fixture.ts'

// The shapes are those that azure-sdk-for-js recorded of the service for container-registry 2021-07-01.
const ATTRIBUTES = {
  deleteEnabled: true,
  writeEnabled: true,
  readEnabled: true,
  listEnabled: true,
}

test('a repository, its tags and its manifests are described', async (t) => {
  const registry = await startRegistry(t)
  registry.now = new Date('2026-01-02T03:04:05.678Z')
  const { digest, body } = await pushImage(registry, 'team/app', 'v1')
  const createdTime = '2026-01-02T03:04:05.678Z'
  const times = { createdTime, lastUpdateTime: createdTime }
  const head = { registry: registry.address, imageName: 'team/app' }
  const get = async (path: string) => (await registry.send('GET', path)).json()

  assert.deepEqual(await get('/acr/v1/team%2Fapp?api-version=2021-07-01'), {
    ...head,
    ...times,
    manifestCount: 1,
    tagCount: 1,
    changeableAttributes: ATTRIBUTES,
  })
  const tag = { name: 'v1', digest, ...times, signed: false, changeableAttributes: ATTRIBUTES }
  assert.deepEqual(await get('/acr/v1/team/app/_tags/v1'), { ...head, tag })
  assert.deepEqual(await get('/acr/v1/team/app/_tags'), { ...head, tags: [tag] })
  const manifest = {
    digest,
    imageSize: body.length + 'layer v1'.length + 49,
    ...times,
    architecture: 'amd64',
    os: 'linux',
    mediaType: OCI_MANIFEST,
    configMediaType: 'application/vnd.oci.image.config.v1+json',
    tags: ['v1'],
    changeableAttributes: ATTRIBUTES,
  }
  assert.deepEqual(await get(`/acr/v1/team/app/_manifests/${digest}`), { ...head, manifest })
  assert.deepEqual(await get('/acr/v1/team/app/_manifests'), { ...head, manifests: [manifest] })
  assert.deepEqual(await get('/acr/v1/_catalog'), { repositories: ['team/app'] })
})

test('tags come newest or oldest first, by pages', async (t) => {
  const registry = await startRegistry(t)
  for (const [index, tag] of ['b', 'a', 'c'].entries()) {
    registry.now = new Date(Date.UTC(2026, 0, 1 + index))
    await pushImage(registry, 'app', tag)
  }
  const names = async (path: string) => {
    const answer = await registry.send('GET', path)
    const tags = answer.json().tags as { name: string }[]
    return [tags.map((tag) => tag.name), answer.headers.link]
  }
  assert.deepEqual(await names('/acr/v1/app/_tags?orderby=timedesc&n=2'), [
    ['c', 'a'],
    '</acr/v1/app/_tags?last=a&n=2&orderby=timedesc>; rel="next"',
  ])
  assert.deepEqual(await names('/acr/v1/app/_tags?orderby=timedesc&n=2&last=a'), [['b'], undefined])
  assert.deepEqual(await names('/acr/v1/app/_tags?orderby=timeasc'), [['b', 'a', 'c'], undefined])
})

test('tags of one manifest are listed by themselves, by pages', async (t) => {
  const registry = await startRegistry(t)
  const { digest } = await pushImage(registry, 'app', 'a', 'same')
  for (const tag of ['c', 'b']) await pushImage(registry, 'app', tag, 'same')
  await pushImage(registry, 'app', 'aa', 'other')
  const query = `digest=${encodeURIComponent(digest)}`
  const answer = await registry.send('GET', `/acr/v1/app/_tags?n=2&${query}`)
  const tags = answer.json().tags as { name: string }[]
  assert.deepEqual(
    tags.map(({ name }) => name),
    ['a', 'b'],
  )
  assert.equal(answer.headers.link, `</acr/v1/app/_tags?last=b&n=2&orderby=&${query}>; rel="next"`)
})

test('a tag is taken off, a repository deleted with all it holds', async (t) => {
  const registry = await startRegistry(t)
  const one = await pushImage(registry, 'app', 'v1')
  const two = await pushImage(registry, 'app', 'v2')
  assert.equal((await registry.send('DELETE', '/acr/v1/app/_tags/v1')).status, 202)
  const gone = await registry.send('DELETE', '/acr/v1/app/_tags/v1')
  assert.deepEqual([gone.status, gone.code], [404, 'TAG_UNKNOWN'])
  const deleted = await registry.send('DELETE', '/acr/v1/app')
  assert.equal(deleted.status, 202)
  assert.deepEqual(deleted.json(), {
    manifestsDeleted: [one.digest, two.digest].toSorted(),
    tagsDeleted: ['v2'],
  })
  assert.equal((await registry.send('DELETE', '/acr/v1/app')).code, 'NAME_UNKNOWN')
  assert.equal((await registry.send('HEAD', `/v2/app/blobs/${one.layer}`)).status, 404)
})

test('attributes are those of one thing alone, and change where they are named', async (t) => {
  const registry = await startRegistry(t)
  registry.now = new Date('2026-01-01T00:00:00.000Z')
  const { digest } = await pushImage(registry, 'team/app', 'v1')
  registry.now = new Date('2026-01-02T00:00:00.000Z')
  const paths = {
    repository: '/acr/v1/team%2Fapp',
    tag: '/acr/v1/team/app/_tags/v1',
    manifest: `/acr/v1/team%2Fapp/_manifests/${digest.replace(':', '%3A')}`,
  }
  const patch = (path: string, body: object) =>
    registry.send('PATCH', path, { body: JSON.stringify(body) })
  const attributesOf = async (path: string) => {
    const body = (await registry.send('GET', path)).json()
    const item = (body.tag ?? body.manifest ?? body) as Record<string, unknown>
    return [item.changeableAttributes, item.lastUpdateTime]
  }
  const updated = '2026-01-01T00:00:00.000Z'

  await patch(paths.repository, { listEnabled: false })
  await patch(paths.tag, { writeEnabled: false })
  await patch(paths.tag, { deleteEnabled: false, writeEnabled: true })
  const answer = await patch(paths.manifest, { readEnabled: false })
  assert.deepEqual(answer.json(), (await registry.send('GET', paths.manifest)).json())
  const expected = [
    [paths.repository, { ...ATTRIBUTES, listEnabled: false }],
    [paths.tag, { ...ATTRIBUTES, deleteEnabled: false }],
    [paths.manifest, { ...ATTRIBUTES, readEnabled: false }],
  ] as const
  for (const [path, attributes] of expected) {
    assert.deepEqual(await attributesOf(path), [attributes, updated])
  }
  const again = await registry.restart()
  const kept = (await again.send('GET', paths.tag)).json().tag as Record<string, unknown>
  assert.deepEqual(kept.changeableAttributes, { ...ATTRIBUTES, deleteEnabled: false })
})

test('a change that names nothing changes nothing', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  for (const body of ['{}', '']) {
    const answer = await registry.send('PATCH', '/acr/v1/app', { body })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.json().changeableAttributes, ATTRIBUTES)
  }
})

for (const [what, body] of [
  ['is not JSON', '{'],
  ['is no object', '[]'],
  ['is null', 'null'],
  ['has a text for a truth', '{"writeEnabled":"false"}'],
  ['has a null', '{"writeEnabled":null}'],
  ['names another attribute', '{"writeEnabled":false,"lockEnabled":false}'],
  ['is too long', ' '.repeat(5000)],
] as const) {
  test(`400: a change that ${what} is refused as a whole`, async (t) => {
    const registry = await startRegistry(t)
    await pushImage(registry, 'app', 'v1')
    const answer = await registry.send('PATCH', '/acr/v1/app/_tags/v1', { body })
    assert.deepEqual([answer.status, answer.code], [400, 'ATTRIBUTES_INVALID'])
    const { tag } = (await registry.send('GET', '/acr/v1/app/_tags/v1')).json()
    assert.deepEqual((tag as Record<string, unknown>).changeableAttributes, ATTRIBUTES)
  })
}

for (const [path, code] of [
  ['/acr/v1/nobody', 'NAME_UNKNOWN'],
  ['/acr/v1/nobody/_tags/v1', 'NAME_UNKNOWN'],
  ['/acr/v1/app/_tags/v2', 'TAG_UNKNOWN'],
  [`/acr/v1/app/_manifests/sha256:${'0'.repeat(64)}`, 'MANIFEST_UNKNOWN'],
] as const) {
  test(`404: ${path} has no attributes to change`, async (t) => {
    const registry = await startRegistry(t)
    await pushImage(registry, 'app', 'v1')
    const answer = await registry.send('PATCH', path, { body: '{"writeEnabled":false}' })
    assert.deepEqual([answer.status, answer.code], [404, code])
  })
}

test('401: who may read alone is told to ask for metadata_write', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const ask = { authorization: basic('app-reader', 'secret'), body: '{"writeEnabled":false}' }
  const answer = await registry.send('PATCH', '/acr/v1/app', ask)
  assert.equal(answer.status, 401)
  assert.match(
    String(answer.headers['www-authenticate']),
    /scope="repository:app:metadata_write",error="insufficient_scope"$/,
  )
  const writer = { ...ask, authorization: basic('app-writer', 'secret') }
  assert.equal((await registry.send('PATCH', '/acr/v1/app', writer)).status, 200)
})

test('405: lists and manifests say what they can', async (t) => {
  const registry = await startRegistry(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  const allowed = async (path: string) => (await registry.send('DELETE', path)).headers.allow
  assert.equal(await allowed('/acr/v1/app/_tags'), 'GET, HEAD')
  assert.equal(await allowed(`/acr/v1/app/_manifests/${digest}`), 'GET, HEAD, PATCH')
})

test('an index names its manifests, and is as large as all of it', async (t) => {
  const registry = await startRegistry(t)
  const child = await pushImage(registry, 'app', 'amd64')
  const body = JSON.stringify({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: OCI_MANIFEST,
        digest: child.digest,
        size: child.body.length,
        platform: { architecture: 'amd64', os: 'linux', 'os.version': '1' },
      },
    ],
  })
  const headers = { 'content-type': OCI_INDEX }
  const pushed = await registry.send('PUT', '/v2/app/manifests/v1', { body, headers })
  const digest = pushed.headers['docker-content-digest']
  const get = async (path: string) => (await registry.send('GET', path)).json()
  const one = (await get(`/acr/v1/app/_manifests/${digest}`)).manifest as Record<string, unknown>
  const part = (await get(`/acr/v1/app/_manifests/${child.digest}`)).manifest
  assert.deepEqual(one.references, [{ digest: child.digest, architecture: 'amd64', os: 'linux' }])
  assert.equal(one.imageSize, body.length + (part as { imageSize: number }).imageSize)
  // In a list it is shown without them, as by the service.
  const { manifests } = await get('/acr/v1/app/_manifests')
  assert.ok((manifests as object[]).every((each) => !('references' in each)))
})

test('a registry that is forgotten holds nothing any more', async (t) => {
  const registry = await startRegistry(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  const begun = await registry.send('POST', '/v2/app/blobs/uploads/')
  await registry.plane.forgetRegistry('uid-1')
  assert.deepEqual((await registry.send('GET', '/v2/_catalog')).json(), { repositories: [] })
  assert.equal((await registry.send('GET', `/v2/app/manifests/${digest}`)).code, 'NAME_UNKNOWN')
  assert.equal((await registry.send('GET', begun.headers.location ?? '')).status, 404)
  assert.equal((await pushImage(registry, 'app', 'v1')).answer.status, 201)
})
