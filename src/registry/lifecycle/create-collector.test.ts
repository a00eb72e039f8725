import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Digest, digestOf, isDigest } from '../../lib/digest.ts'
import { holdRemovals } from '../../storage/removal-lock.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { type Fixture, pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS

const NOTHING = {
  untaggedManifests: 0,
  purgedManifests: 0,
  unlinkedBlobs: 0,
  removedBlobs: 0,
  removedBytes: 0,
  removedCopies: 0,
  held: false,
}

const pass = (registry: Fixture, ms: number): void => {
  registry.now = new Date(registry.now.getTime() + ms)
}

async function stored(registry: Fixture): Promise<readonly Digest[]> {
  const found: Digest[] = []
  for await (const { digest } of registry.blobs.list()) found.push(digest)
  return found
}

async function* inOne(bytes: Buffer) {
  yield bytes
}

const has = async (registry: Fixture, digest: string): Promise<boolean> =>
  isDigest(digest) && registry.blobs.has(digest)

test('what a deleted image alone needed goes after the grace, what another needs stays', async (t) => {
  const registry = await startRegistry(t)
  const one = await pushImage(registry, 'app', 'v1')
  const two = await pushImage(registry, 'app', 'v2')
  await pushImage(registry, 'copy', 'v2')
  assert.equal((await registry.send('DELETE', `/v2/app/manifests/${one.digest}`)).status, 202)
  assert.equal((await registry.send('DELETE', `/v2/app/manifests/${two.digest}`)).status, 202)

  pass(registry, 23 * HOUR_MS)
  assert.deepEqual(await registry.collector.collect(), NOTHING)
  pass(registry, 2 * HOUR_MS)
  const done = await registry.collector.collect()
  assert.equal(done.unlinkedBlobs, 4)
  assert.equal(done.removedBlobs, 2)
  assert.equal(await has(registry, one.layer), false)
  assert.equal(await has(registry, two.layer), true)
  assert.equal((await registry.send('HEAD', `/v2/app/blobs/${two.layer}`)).status, 404)
  assert.equal((await registry.send('GET', `/v2/copy/blobs/${two.layer}`)).status, 200)
  assert.deepEqual(await registry.collector.collect({ sweeps: true, ignoresGrace: true }), NOTHING)
})

test('a layer that clients fetch from elsewhere stays where it was pushed all the same', async (t) => {
  const registry = await startRegistry(t)
  const config = Buffer.from('{}')
  await pushBlob(registry, 'app', config)
  const digest = await pushBlob(registry, 'app', Buffer.from('foreign'))
  const octets = 'application/octet-stream'
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: octets, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: octets, digest, size: 7, urls: ['https://example.com/layer'] }],
  })
  const headers = { 'content-type': OCI_MANIFEST }
  await registry.send('PUT', '/v2/app/manifests/v1', { body, headers })
  pass(registry, 2 * DAY_MS)
  assert.deepEqual(await registry.collector.collect(), NOTHING)
  assert.equal(await has(registry, digest), true)
})

test('a blob that is uploaded and never used goes after the grace', async (t) => {
  const registry = await startRegistry(t)
  const digest = await pushBlob(registry, 'app', Buffer.from('lonely'))
  pass(registry, DAY_MS - HOUR_MS)
  await registry.collector.collect()
  assert.equal(await has(registry, digest), true)
  pass(registry, 2 * HOUR_MS)
  assert.deepEqual(await registry.collector.collect(), {
    ...NOTHING,
    unlinkedBlobs: 1,
    removedBlobs: 1,
    removedBytes: 6,
  })
  assert.equal((await registry.send('GET', `/v2/app/blobs/${digest}`)).code, 'BLOB_UNKNOWN')
})

test('whoever asks for a blob that nothing needs, as a push does, gets it for another grace', async (t) => {
  const registry = await startRegistry(t)
  const digest = await pushBlob(registry, 'app', Buffer.from('layer'))
  pass(registry, 20 * HOUR_MS)
  assert.equal((await registry.send('HEAD', `/v2/app/blobs/${digest}`)).status, 200)
  pass(registry, 20 * HOUR_MS)
  assert.deepEqual(await registry.collector.collect(), NOTHING)
  pass(registry, 5 * HOUR_MS)
  assert.equal((await registry.collector.collect()).removedBlobs, 1)
})

test('a deleted repository and a forgotten registry leave nothing', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  await pushImage(registry, 'other', 'v2')
  await registry.send('DELETE', '/acr/v1/app')
  pass(registry, DAY_MS)
  assert.equal((await registry.collector.collect()).removedBlobs, 2)
  await registry.plane.forgetRegistry('uid-1')
  pass(registry, DAY_MS)
  assert.equal((await registry.collector.collect()).removedBlobs, 2)
  assert.deepEqual(await stored(registry), [])
  for (const table of ['registry_blob_reviews', 'registry_blob_removals'] as const) {
    assert.deepEqual(await registry.database.kysely.selectFrom(table).selectAll().execute(), [])
  }
})

test('a blob without a row, as a crash leaves it, is found by a sweep when its grace is over', async (t) => {
  const registry = await startRegistry(t)
  const { layer } = await pushImage(registry, 'app', 'v1')
  const bytes = Buffer.from('orphan')
  const upload = await registry.blobs.begin({ registry: 'uid-1', repository: 'app' })
  await upload.append(inOne(bytes))
  await upload.commit(digestOf(bytes), async () => true)
  // Files have the time of the machine.
  pass(registry, HOUR_MS)

  assert.deepEqual(await registry.collector.collect({ sweeps: true }), NOTHING)
  const [candidate] = await registry.collector.candidates()
  assert.equal(candidate?.reason, 'no-owner')
  assert.equal(candidate?.size, 6)
  pass(registry, DAY_MS + HOUR_MS)
  assert.equal((await registry.collector.collect({ sweeps: true })).removedBlobs, 1)
  assert.equal(await has(registry, digestOf(bytes)), false)
  assert.equal(await has(registry, layer), true)
})

test('a blob that is pushed again before its file goes stays', async (t) => {
  const registry = await startRegistry(t)
  const { layer } = await pushImage(registry, 'app', 'v1')
  await registry.send('DELETE', '/acr/v1/app')
  pass(registry, DAY_MS)
  await pushBlob(registry, 'new', Buffer.from('layer v1'))
  await registry.collector.collect()
  assert.equal(await has(registry, layer), true)
  assert.equal((await registry.send('GET', `/v2/new/blobs/${layer}`)).status, 200)
})

test('a blob that is removed between its placing and its row is placed again', async (t) => {
  const registry = await startRegistry(t)
  const bytes = Buffer.from('contested')
  const digest = digestOf(bytes)
  const upload = await registry.blobs.begin({ registry: 'uid-1', repository: 'app' })
  await upload.append(inOne(bytes))
  pass(registry, HOUR_MS)
  let asked = 0
  await upload.commit(digest, async () => {
    asked += 1
    if (asked === 1) await registry.collector.collect({ sweeps: true, ignoresGrace: true })
    return registry.blobs.has(digest)
  })
  assert.equal(asked, 2)
  assert.equal(await has(registry, digest), true)
})

test('a blob whose file has gone is not mounted: the client uploads it', async (t) => {
  const registry = await startRegistry(t)
  const bytes = Buffer.from('layer')
  const digest = await pushBlob(registry, 'app', bytes)
  await registry.blobs.remove(digest)
  const path = `/v2/copy/blobs/uploads/?mount=${digest}&from=app`
  assert.equal((await registry.send('POST', path)).status, 202)
  assert.equal((await registry.send('HEAD', `/v2/copy/blobs/${digest}`)).status, 404)
  await pushBlob(registry, 'copy', bytes)
  assert.equal((await registry.send('GET', `/v2/copy/blobs/${digest}`)).status, 200)
})

test('a layer that another image of the repository needs stays in it', async (t) => {
  const registry = await startRegistry(t)
  const one = await pushImage(registry, 'app', 'v1', 'shared')
  const octets = 'application/octet-stream'
  const config = Buffer.from('{}')
  await pushBlob(registry, 'app', config)
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: octets, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: octets, digest: one.layer, size: 'layer shared'.length }],
  })
  const headers = { 'content-type': OCI_MANIFEST }
  await registry.send('PUT', '/v2/app/manifests/v2', { body, headers })
  await registry.send('DELETE', `/v2/app/manifests/${one.digest}`)
  pass(registry, DAY_MS)
  assert.equal((await registry.collector.collect()).removedBlobs, 1)
  assert.equal((await registry.send('GET', `/v2/app/blobs/${one.layer}`)).status, 200)
})

test('while a backup is made no file goes', async (t) => {
  const registry = await startRegistry(t)
  await pushBlob(registry, 'app', Buffer.from('unused'))
  pass(registry, DAY_MS)
  const backup = holdRemovals({ run: registry.folder })
  const second = holdRemovals({ run: registry.folder })
  backup.release()
  assert.deepEqual(await registry.collector.collect(), { ...NOTHING, unlinkedBlobs: 1, held: true })
  assert.equal((await stored(registry)).length, 1)
  second.release()
  assert.equal((await registry.collector.collect()).removedBlobs, 1)
})

test('what will go is told with its reason and its time, and nothing is changed by telling', async (t) => {
  const registry = await startRegistry(t)
  registry.now = new Date('2026-01-02T00:00:00.000Z')
  const digest = await pushBlob(registry, 'app', Buffer.from('unused'))
  await pushImage(registry, 'app', 'v1')
  const expected = [
    {
      kind: 'blob',
      digest,
      size: 6,
      from: `${registry.address}/app`,
      reason: 'unused',
      since: '2026-01-02T00:00:00.000Z',
      due: '2026-01-03T00:00:00.000Z',
    },
  ]
  assert.deepEqual(await registry.collector.candidates(), expected)
  assert.deepEqual(await registry.collector.candidates(), expected)
})

test('a removal that the process did not survive is done by the next', async (t) => {
  const before = await startRegistry(t)
  await pushBlob(before, 'app', Buffer.from('unused'))
  await before.blobs.remove(digestOf(Buffer.from('unused')))
  const registry = await before.restart()
  assert.equal((await readdir(join(registry.folder, 'content', 'removed'))).length, 1)
  pass(registry, DAY_MS + HOUR_MS)
  assert.equal((await registry.collector.collect()).removedBlobs, 1)
  assert.deepEqual(await readdir(join(registry.folder, 'content', 'removed')), [])
})

test('an untagged manifest goes by the policy: not before its days, not from before the policy, not as a part', async (t) => {
  const registry = await startRegistry(t)
  const early = await pushImage(registry, 'app', 'early')
  await registry.send('DELETE', '/acr/v1/app/_tags/early')
  pass(registry, HOUR_MS)
  const from = registry.now.toISOString()
  registry.facts = { ...registry.facts, untaggedRetention: { days: 7, from } }

  const moved = await pushImage(registry, 'app', 'v1', 'one')
  const tagged = await pushImage(registry, 'app', 'v1', 'two')
  const part = await pushImage(registry, 'app', 'part')
  await putIndex(registry, 'app', 'index', part)
  await registry.send('DELETE', '/acr/v1/app/_tags/part')
  const signature = await putReferrer(registry, 'app', tagged)

  pass(registry, 7 * DAY_MS - HOUR_MS)
  assert.equal((await registry.collector.collect()).untaggedManifests, 0)
  assert.equal((await registry.collector.candidates())[0]?.digest, moved.digest)
  pass(registry, 2 * HOUR_MS)
  assert.equal((await registry.collector.collect()).untaggedManifests, 1)
  for (const [digest, status] of [
    [early.digest, 200],
    [moved.digest, 404],
    [tagged.digest, 200],
    [part.digest, 200],
    [signature, 200],
  ] as const) {
    assert.equal((await registry.send('HEAD', `/v2/app/manifests/${digest}`)).status, status)
  }
  pass(registry, DAY_MS)
  await registry.collector.collect()
  assert.equal(await has(registry, moved.layer), false)
})

test('with no days at all a manifest that was pushed without a tag still waits for its index', async (t) => {
  const registry = await startRegistry(t)
  const from = registry.now.toISOString()
  registry.facts = { ...registry.facts, untaggedRetention: { days: 0, from } }
  const untagged = await pushImage(registry, 'app', 'one')
  const { digest } = await pushImage(registry, 'other', 'part')
  await pushImage(registry, 'app', digest, 'part')
  pass(registry, HOUR_MS)
  await registry.send('DELETE', '/acr/v1/app/_tags/one')
  assert.equal((await registry.collector.collect()).untaggedManifests, 1)
  const head = async (of: string) => (await registry.send('HEAD', `/v2/app/manifests/${of}`)).status
  assert.deepEqual([await head(untagged.digest), await head(digest)], [404, 200])
  pass(registry, DAY_MS)
  assert.equal((await registry.collector.collect()).untaggedManifests, 1)
})

test('the parts of an index have their days from when it went', async (t) => {
  const registry = await startRegistry(t)
  const from = registry.now.toISOString()
  registry.facts = { ...registry.facts, untaggedRetention: { days: 1, from } }
  const part = await pushImage(registry, 'app', 'part')
  await putIndex(registry, 'app', 'index', part)
  await registry.send('DELETE', '/acr/v1/app/_tags/part')
  pass(registry, 5 * DAY_MS)
  const { digest } = (await registry.send('GET', '/acr/v1/app/_tags/index')).json().tag as {
    digest: string
  }
  await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  pass(registry, HOUR_MS)
  assert.equal((await registry.collector.collect()).untaggedManifests, 0)
  pass(registry, DAY_MS)
  assert.equal((await registry.collector.collect()).untaggedManifests, 1)
})

type Pushed = Awaited<ReturnType<typeof pushImage>>

async function putIndex(registry: Fixture, repository: string, tag: string, part: Pushed) {
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ mediaType: OCI_MANIFEST, digest: part.digest, size: part.body.length }],
  })
  const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' }
  const path = `/v2/${repository}/manifests/${tag}`
  assert.equal((await registry.send('PUT', path, { body, headers })).status, 201)
}

async function putReferrer(registry: Fixture, repository: string, subject: Pushed) {
  const config = Buffer.from('{}')
  await pushBlob(registry, repository, config)
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: 'application/vnd.example.signature',
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
  const path = `/v2/${repository}/manifests/${digest}`
  assert.equal((await registry.send('PUT', path, { body, headers })).status, 201)
  return digest
}
