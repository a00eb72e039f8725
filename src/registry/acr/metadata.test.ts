import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { pushImage, startRegistry } from '../testing/registry-fixture.ts'

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

test('405: attributes cannot be changed yet', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const answer = await registry.send('PATCH', '/acr/v1/app', { body: '{"writeEnabled":false}' })
  assert.deepEqual([answer.status, answer.code], [405, 'UNSUPPORTED'])
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
