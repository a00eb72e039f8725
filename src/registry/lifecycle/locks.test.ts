import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'
import { type Fixture, pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

const DAY_MS = 24 * 60 * 60 * 1000

async function startSoft(t: TestContext): Promise<Fixture> {
  const registry = await startRegistry(t)
  registry.facts = { ...registry.facts, softDelete: { isOn: true, days: 7 } }
  return registry
}

const pass = (registry: Fixture, days: number): void => {
  registry.now = new Date(registry.now.getTime() + days * DAY_MS)
}

async function set(registry: Fixture, path: string, attributes: Record<string, boolean>) {
  const answer = await registry.send('PATCH', path, { body: JSON.stringify(attributes) })
  assert.equal(answer.status, 200)
}

const manifestPath = (digest: string) => `/acr/v1/app/_manifests/${digest}`

const status = async (registry: Fixture, digest: string) =>
  (await registry.send('HEAD', `/v2/app/manifests/${digest}`)).status

const restore = (registry: Fixture, digest: string, tag: string | null, force = false) =>
  registry.send('POST', `/acr/v1/_deleted/app/_manifests/${digest}${force ? '?force=true' : ''}`, {
    body: JSON.stringify({ tag }),
  })

/** A signature of a manifest; `name` tells one from another. */
async function sign(registry: Fixture, subject: { digest: string; body: string }, name: string) {
  const config = Buffer.from(JSON.stringify({ name }))
  await pushBlob(registry, 'app', config)
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: digestOf(config),
      size: config.length,
    },
    layers: [],
    subject: { mediaType: OCI_MANIFEST, digest: subject.digest, size: subject.body.length },
  })
  const digest = digestOf(Buffer.from(body))
  const headers = { 'content-type': OCI_MANIFEST }
  await registry.send('PUT', `/v2/app/manifests/${digest}`, { body, headers })
  return digest
}

test('the retention of untagged manifests passes over what is locked', async (t) => {
  const registry = await startRegistry(t)
  const untaggedRetention = { days: 1, from: registry.now.toISOString() }
  registry.facts = { ...registry.facts, untaggedRetention }
  const locked = await pushImage(registry, 'app', 'v1')
  const free = await pushImage(registry, 'app', 'v2')
  await set(registry, manifestPath(locked.digest), { deleteEnabled: false })
  for (const tag of ['v1', 'v2']) await registry.send('DELETE', `/acr/v1/app/_tags/${tag}`)
  pass(registry, 2)
  assert.equal((await registry.collector.collect()).untaggedManifests, 1)
  assert.deepEqual(
    [await status(registry, locked.digest), await status(registry, free.digest)],
    [200, 404],
  )
  await set(registry, manifestPath(locked.digest), { deleteEnabled: true })
  assert.equal((await registry.collector.collect()).untaggedManifests, 1)
})

test('a locked signature stays when its subject goes, and one that is not goes along', async (t) => {
  const registry = await startRegistry(t)
  const subject = await pushImage(registry, 'app', 'v1')
  const locked = await sign(registry, subject, 'locked')
  const free = await sign(registry, subject, 'free')
  await set(registry, manifestPath(locked), { writeEnabled: false })
  assert.equal((await registry.send('DELETE', `/v2/app/manifests/${subject.digest}`)).status, 202)
  assert.deepEqual([await status(registry, locked), await status(registry, free)], [200, 404])
})

test('405: what is locked is not deleted softly either, and nothing of it can be restored', async (t) => {
  const registry = await startSoft(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  await set(registry, manifestPath(digest), { deleteEnabled: false })
  for (const path of [`/v2/app/manifests/${digest}`, '/acr/v1/app']) {
    assert.equal((await registry.send('DELETE', path)).status, 405)
  }
  const list = await registry.send('GET', '/acr/v1/_deleted/app/_manifests')
  assert.deepEqual(list.json().manifests, [])
})

test('405: nothing is restored into a locked repository, nor over a locked tag', async (t) => {
  const registry = await startSoft(t)
  const one = await pushImage(registry, 'app', 'v1', 'one')
  await registry.send('DELETE', `/v2/app/manifests/${one.digest}`)
  const two = await pushImage(registry, 'app', 'v1', 'two')
  await set(registry, '/acr/v1/app/_tags/v1', { writeEnabled: false })
  assert.equal((await restore(registry, one.digest, 'v1', true)).status, 405)
  await set(registry, '/acr/v1/app', { writeEnabled: false })
  assert.equal((await restore(registry, one.digest, null)).status, 405)
  assert.equal(await status(registry, one.digest), 404)
  await set(registry, '/acr/v1/app', { writeEnabled: true })
  assert.equal((await restore(registry, one.digest, null)).status, 200)
  assert.equal((await registry.send('HEAD', '/v2/app/manifests/v1')).status, 200)
  assert.equal(await status(registry, two.digest), 200)
})

test('409: where the first push of a tag wins, a restore does not move it, with force neither', async (t) => {
  const registry = await startSoft(t)
  const one = await pushImage(registry, 'app', 'v1', 'one')
  await registry.send('DELETE', `/v2/app/manifests/${one.digest}`)
  await pushImage(registry, 'app', 'v1', 'two')
  registry.facts = { ...registry.facts, immutableTagsIn: ['*'] }
  const refused = await restore(registry, one.digest, 'v1', true)
  assert.deepEqual([refused.status, refused.code], [409, 'DENIED'])
  assert.equal((await restore(registry, one.digest, 'v2', true)).status, 200)
})

test('a manifest and a tag come back with what may be read and listed of them', async (t) => {
  const registry = await startSoft(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  await set(registry, manifestPath(digest), { listEnabled: false })
  await set(registry, '/acr/v1/app/_tags/v1', { readEnabled: false })
  await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  assert.equal((await restore(registry, digest, 'v1')).status, 200)
  const { manifests } = (await registry.send('GET', '/acr/v1/app/_manifests')).json()
  assert.deepEqual(manifests ?? [], [])
  assert.equal((await registry.send('GET', '/v2/app/manifests/v1')).status, 405)
  assert.equal((await registry.send('GET', `/v2/app/manifests/${digest}`)).status, 200)
})

test('a blob that an index lists goes with the index', async (t) => {
  const registry = await startRegistry(t)
  const listed = Buffer.from('cached layer')
  const blob = await pushBlob(registry, 'app', listed)
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: blob,
        size: listed.length,
      },
    ],
  })
  const headers = { 'content-type': OCI_INDEX }
  assert.equal((await registry.send('PUT', '/v2/app/manifests/v1', { body, headers })).status, 201)
  pass(registry, 2)
  await registry.collector.collect()
  assert.ok(await registry.blobs.has(blob))
  await registry.send('DELETE', `/v2/app/manifests/${digestOf(Buffer.from(body))}`)
  pass(registry, 2)
  assert.equal((await registry.collector.collect()).removedBlobs, 1)
})
