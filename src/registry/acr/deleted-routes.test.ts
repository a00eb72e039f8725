import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { type Fixture, pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

const DAY_MS = 24 * 60 * 60 * 1000

interface Lifetime {
  after(hook: () => Promise<void>): void
}

async function startSoft(t: Lifetime, days = 7): Promise<Fixture> {
  const registry = await startRegistry(t)
  registry.facts = { ...registry.facts, softDelete: { isOn: true, days } }
  return registry
}

const pass = (registry: Fixture, days: number): void => {
  registry.now = new Date(registry.now.getTime() + days * DAY_MS)
}

const restore = (registry: Fixture, digest: string, tag: string | null, force = false) =>
  registry.send(
    'POST',
    `/acr/v1/_deleted/app/_manifests/${digest}?force=${force ? 'True' : 'False'}`,
    {
      body: JSON.stringify({ tag }),
      headers: { 'content-type': 'application/json' },
    },
  )

async function deletedTags(registry: Fixture): Promise<readonly (readonly [string, string])[]> {
  const { tags } = (await registry.send('GET', '/acr/v1/_deleted/app/_tags')).json()
  return (tags as { tag: string; digest: string }[]).map(({ tag, digest }) => [tag, digest])
}

const tagDigest = async (registry: Fixture, tag: string) =>
  (await registry.send('HEAD', `/v2/app/manifests/${tag}`)).headers['docker-content-digest']

test('a deleted manifest is gone, listed, and comes back with its tag and its layers', async (t) => {
  const registry = await startSoft(t)
  registry.now = new Date('2026-01-02T03:04:05.678Z')
  const { digest, layer, body } = await pushImage(registry, 'app', 'v1')
  await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  assert.equal((await registry.send('GET', '/v2/app/manifests/v1')).status, 404)
  const listed = (await registry.send('GET', '/acr/v1/_deleted/app/_manifests')).json()
  assert.deepEqual(listed, {
    registry: registry.address,
    imageName: 'app',
    manifests: [
      {
        digest,
        imageSize: body.length + 'layer v1'.length + 49,
        createdTime: '2026-01-02T03:04:05.678Z',
        lastUpdateTime: '2026-01-02T03:04:05.678Z',
        architecture: 'amd64',
        os: 'linux',
        mediaType: OCI_MANIFEST,
        configMediaType: 'application/vnd.oci.image.config.v1+json',
        tags: ['v1'],
        deletedAt: '2026-01-02T03:04:05.678Z',
      },
    ],
  })
  pass(registry, 6)
  await registry.collector.collect()
  assert.equal((await restore(registry, digest, 'v1')).status, 200)
  assert.equal((await registry.send('GET', '/v2/app/manifests/v1')).body.toString(), body)
  assert.equal((await registry.send('GET', `/v2/app/blobs/${layer}`)).status, 200)
  assert.deepEqual(await deletedTags(registry), [])
})

test('what is deleted is purged by the days of now, also with the policy off, and its blobs after', async (t) => {
  const registry = await startSoft(t, 7)
  const { digest, layer } = await pushImage(registry, 'app', 'v1')
  await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  registry.facts = { ...registry.facts, softDelete: { isOn: true, days: 14 } }
  pass(registry, 13)
  assert.equal((await registry.collector.collect()).purgedManifests, 0)
  registry.facts = { ...registry.facts, softDelete: { isOn: false, days: 12 } }
  assert.equal((await registry.collector.collect()).purgedManifests, 1)
  assert.equal((await restore(registry, digest, 'v1')).code, 'MANIFEST_UNKNOWN')
  assert.deepEqual(await deletedTags(registry), [])
  pass(registry, 1)
  assert.equal((await registry.collector.collect()).removedBlobs, 2)
  assert.equal((await registry.send('GET', `/v2/app/blobs/${layer}`)).status, 404)
})

test('409: a manifest that can be restored is not pushed again', async (t) => {
  const registry = await startSoft(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  const { answer } = await pushImage(registry, 'app', 'v1')
  assert.deepEqual([answer.status, answer.code], [409, 'DENIED'])
  assert.equal((await pushImage(registry, 'elsewhere', 'v1')).answer.status, 201)
})

test('deleted tags are listed oldest first, by pages', async (t) => {
  const registry = await startSoft(t)
  const one = await pushImage(registry, 'app', 'v1', 'one')
  await registry.send('DELETE', '/acr/v1/app/_tags/v1')
  const two = await pushImage(registry, 'app', 'v1', 'two')
  await registry.send('DELETE', `/v2/app/manifests/${two.digest}`)
  assert.deepEqual(await deletedTags(registry), [
    ['v1', one.digest],
    ['v1', two.digest],
  ])
  const page = await registry.send('GET', '/acr/v1/_deleted/app/_tags?n=1')
  assert.equal((page.json().tags as unknown[]).length, 1)
  const next = /<([^>]+)>/.exec(String(page.headers.link))?.[1] ?? ''
  const [tag] = (await registry.send('GET', next)).json().tags as { digest: string }[]
  assert.equal(tag?.digest, two.digest)
  const bad = await registry.send('GET', '/acr/v1/_deleted/app/_tags?last=v1')
  assert.deepEqual([bad.status, bad.code], [400, 'UNSUPPORTED'])
})

test('a deleted tag comes back to its manifest; one that is taken only by force, which deletes it softly', async (t) => {
  const registry = await startSoft(t)
  const one = await pushImage(registry, 'app', 'v1', 'one')
  await registry.send('DELETE', '/acr/v1/app/_tags/v1')
  const two = await pushImage(registry, 'app', 'v1', 'two')
  const refused = await restore(registry, one.digest, 'v1')
  assert.deepEqual([refused.status, refused.code], [409, 'DENIED'])
  assert.equal(await tagDigest(registry, 'v1'), two.digest)
  assert.equal((await restore(registry, one.digest, 'v1', true)).status, 200)
  assert.equal(await tagDigest(registry, 'v1'), one.digest)
  assert.deepEqual(await deletedTags(registry), [['v1', two.digest]])
})

test('a deleted repository is listed, and is there again with a push or a restore', async (t) => {
  const registry = await startSoft(t)
  const one = await pushImage(registry, 'app', 'v1')
  const catalog = async (path: string) => (await registry.send('GET', path)).json().repositories
  assert.deepEqual((await registry.send('DELETE', '/acr/v1/app')).json(), {
    manifestsDeleted: [one.digest],
    tagsDeleted: ['v1'],
  })
  assert.deepEqual(await catalog('/acr/v1/_catalog'), [])
  assert.deepEqual(await catalog('/acr/v1/_deleted/_catalog'), ['app'])
  await pushImage(registry, 'app', 'v2')
  assert.deepEqual(await catalog('/acr/v1/_deleted/_catalog'), [])
  await registry.send('DELETE', '/acr/v1/app')
  pass(registry, 2)
  await registry.collector.collect()
  assert.equal((await restore(registry, one.digest, 'v1')).status, 200)
  assert.deepEqual(await catalog('/acr/v1/_catalog'), ['app'])
  assert.equal((await registry.send('GET', `/v2/app/blobs/${one.layer}`)).status, 200)
})

test('what refers to a manifest goes with it, and comes back after it only', async (t) => {
  const registry = await startSoft(t)
  const subject = await pushImage(registry, 'app', 'v1')
  const config = Buffer.from('{}')
  await pushBlob(registry, 'app', config)
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(config), size: 2 },
    layers: [],
    subject: { mediaType: OCI_MANIFEST, digest: subject.digest, size: subject.body.length },
  })
  const signature = digestOf(Buffer.from(body))
  const headers = { 'content-type': OCI_MANIFEST }
  await registry.send('PUT', `/v2/app/manifests/${signature}`, { body, headers })

  await registry.send('DELETE', `/v2/app/manifests/${subject.digest}`)
  assert.equal((await registry.send('HEAD', `/v2/app/manifests/${signature}`)).status, 404)
  const early = await restore(registry, signature, null)
  assert.deepEqual([early.status, early.code], [409, 'DENIED'])
  assert.equal((await restore(registry, subject.digest, null)).status, 200)
  assert.equal((await registry.send('HEAD', `/v2/app/manifests/${signature}`)).status, 404)
  assert.equal((await restore(registry, signature, null)).status, 200)
  const referrers = await registry.send('GET', `/v2/app/referrers/${subject.digest}`)
  assert.equal((referrers.json().manifests as unknown[]).length, 1)
})

test('retention and soft delete go together', async (t) => {
  const registry = await startSoft(t)
  const untaggedRetention = { days: 1, from: registry.now.toISOString() }
  registry.facts = { ...registry.facts, untaggedRetention }
  const { digest } = await pushImage(registry, 'app', 'v1')
  await registry.send('DELETE', '/acr/v1/app/_tags/v1')
  pass(registry, 2)
  assert.equal((await registry.collector.collect()).untaggedManifests, 1)
  assert.equal((await restore(registry, digest, 'v1')).status, 200)
  assert.equal(await tagDigest(registry, 'v1'), digest)
})

test('without the policy what is deleted does not come back', async (t) => {
  const registry = await startRegistry(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  assert.equal((await restore(registry, digest, 'v1')).code, 'MANIFEST_UNKNOWN')
  assert.equal((await pushImage(registry, 'app', 'v1')).answer.status, 201)
})

test('401: who may not see what is deleted is told which right it takes', async (t) => {
  const registry = await startSoft(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  const path = `/acr/v1/_deleted/app/_manifests/${digest}`
  const answer = await registry.send('POST', path, { authorization: '', body: '{}' })
  assert.equal(answer.status, 401)
  assert.match(
    String(answer.headers['www-authenticate']),
    /scope="repository:app:deleted_read,deleted_restore"/,
  )
})

for (const body of ['[', '"v1"', '{"tag":"-"}', '{"tag":5}']) {
  test(`400: a restore with the body ${body} is refused`, async (t) => {
    const registry = await startSoft(t)
    const { digest } = await pushImage(registry, 'app', 'v1')
    await registry.send('DELETE', `/v2/app/manifests/${digest}`)
    const path = `/acr/v1/_deleted/app/_manifests/${digest}`
    const answer = await registry.send('POST', path, { body })
    assert.deepEqual([answer.status, answer.code], [400, 'MANIFEST_INVALID'])
  })
}
