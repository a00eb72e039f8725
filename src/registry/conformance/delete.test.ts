import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { MISSING, nameSource, pushArtifact } from '../testing/oci-content.ts'
import { pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#content-management
const registry = await startRegistry({ after })
const freshName = nameSource()
const statusOf = async (app: string, method: string, path: string) =>
  (await registry.send(method, `/v2/${app}/${path}`)).status

test('a tag deleted MUST be answered 202; then it is not found, and its manifest still is', async () => {
  const app = freshName()
  const { digest } = await pushArtifact(registry, app, {}, 'v1')
  await pushArtifact(registry, app, {}, 'v2')
  assert.equal(await statusOf(app, 'DELETE', 'manifests/v1'), 202)
  assert.equal(await statusOf(app, 'GET', 'manifests/v1'), 404)
  assert.equal(await statusOf(app, 'GET', 'manifests/v2'), 200)
  assert.equal(await statusOf(app, 'GET', `manifests/${digest}`), 200)
})

test('a manifest deleted MUST be answered 202; then it and every tag of it MUST NOT be found', async () => {
  const app = freshName()
  const { digest } = await pushArtifact(registry, app, {}, 'v1')
  await pushArtifact(registry, app, {}, 'v2')
  await pushArtifact(registry, app, { x: 1 }, 'other')
  assert.equal(await statusOf(app, 'DELETE', `manifests/${digest}`), 202)
  for (const reference of [digest, 'v1', 'v2']) {
    assert.equal(await statusOf(app, 'GET', `manifests/${reference}`), 404)
  }
  const { json } = await registry.send('GET', `/v2/${app}/tags/list`)
  assert.deepEqual(json().tags, ['other'])
})

test('404: a manifest or tag of a repository that does not exist MUST NOT be deleted', async () => {
  const app = freshName()
  for (const reference of ['v1', MISSING]) {
    const answer = await registry.send('DELETE', `/v2/${app}/manifests/${reference}`)
    assert.deepEqual([answer.status, answer.code], [404, 'NAME_UNKNOWN'])
  }
})

test('404: what is not there, or no longer, cannot be deleted', async () => {
  const app = freshName()
  const { digest } = await pushArtifact(registry, app, {}, 'v1')
  await registry.send('DELETE', `/v2/${app}/manifests/${digest}`)
  for (const reference of ['v1', digest, MISSING]) {
    assert.equal(await statusOf(app, 'DELETE', `manifests/${reference}`), 404)
  }
})

test('a blob deleted MUST be answered 202; then it is not found here, and elsewhere still is', async () => {
  const app = freshName()
  const digest = await pushBlob(registry, app, Buffer.from('a blob'))
  await pushBlob(registry, 'other', Buffer.from('a blob'))
  assert.equal(await statusOf(app, 'DELETE', `blobs/${digest}`), 202)
  assert.equal(await statusOf(app, 'GET', `blobs/${digest}`), 404)
  assert.equal((await registry.send('GET', `/v2/other/blobs/${digest}`)).status, 200)
})

test('404: a blob that is not found MUST NOT be deleted', async () => {
  const app = freshName()
  const digest = await pushBlob(registry, 'other', Buffer.from('a blob'))
  for (const each of [digest, MISSING]) {
    const answer = await registry.send('DELETE', `/v2/${app}/blobs/${each}`)
    assert.deepEqual([answer.status, answer.code], [404, 'BLOB_UNKNOWN'])
  }
})

test('what was deleted can be pushed again', async () => {
  const app = freshName()
  const { digest, layer } = await pushImage(registry, app, 'v1')
  await registry.send('DELETE', `/v2/${app}/manifests/${digest}`)
  await registry.send('DELETE', `/v2/${app}/blobs/${layer}`)
  assert.equal((await pushImage(registry, app, 'v1')).answer.status, 201)
  assert.equal(await statusOf(app, 'GET', `blobs/${layer}`), 200)
})
