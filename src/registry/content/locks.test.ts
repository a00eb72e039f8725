import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'
import {
  type Answer,
  type Fixture,
  pushBlob,
  pushImage,
  startRegistry,
} from '../testing/registry-fixture.ts'

// Which attribute keeps what from happening:
// https://learn.microsoft.com/azure/container-registry/container-registry-image-lock

const WORDS =
  'The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation'

async function set(registry: Fixture, path: string, attributes: Record<string, boolean>) {
  const answer = await registry.send('PATCH', path, { body: JSON.stringify(attributes) })
  assert.equal(answer.status, 200)
}

const put = (registry: Fixture, path: string, body: string, type = OCI_MANIFEST) =>
  registry.send('PUT', path, { body, headers: { 'content-type': type } })

function isDisallowed(answer: Answer): void {
  assert.deepEqual([answer.status, answer.code], [405, 'REGISTRY_DISALLOWED_OPERATION'])
}

test('405: a refusal has the words of the service, and says what is locked', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  await set(registry, '/acr/v1/app/_tags/v1', { writeEnabled: false })
  const { answer } = await pushImage(registry, 'app', 'v1', 'other')
  assert.equal(answer.status, 405)
  assert.deepEqual(answer.json(), {
    errors: [
      {
        code: 'REGISTRY_DISALLOWED_OPERATION',
        message: WORDS,
        detail: { kind: 'tag', name: 'v1', attribute: 'writeEnabled' },
      },
    ],
  })
})

test('405: a tag that may not be written stays, and others of its manifest do not', async (t) => {
  const registry = await startRegistry(t)
  const { digest, body } = await pushImage(registry, 'app', 'v1', 'same')
  await put(registry, '/v2/app/manifests/latest', body)
  await set(registry, '/acr/v1/app/_tags/v1', { writeEnabled: false })
  isDisallowed((await pushImage(registry, 'app', 'v1', 'other')).answer)
  isDisallowed(await put(registry, '/v2/app/manifests/v1', body))
  isDisallowed(await registry.send('DELETE', '/acr/v1/app/_tags/v1'))
  isDisallowed(await registry.send('DELETE', '/v2/app/manifests/v1'))
  // With the manifest its tags would go.
  isDisallowed(await registry.send('DELETE', `/v2/app/manifests/${digest}`))
  isDisallowed(await registry.send('DELETE', '/acr/v1/app'))
  assert.equal((await pushImage(registry, 'app', 'latest', 'other')).answer.status, 201)
  const held = await registry.send('HEAD', '/v2/app/manifests/v1')
  assert.equal(held.headers['docker-content-digest'], digest)
  await set(registry, '/acr/v1/app/_tags/v1', { writeEnabled: true })
  assert.equal((await registry.send('DELETE', '/acr/v1/app')).status, 202)
})

test('405: a tag that may not be deleted may be moved', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  await set(registry, '/acr/v1/app/_tags/v1', { deleteEnabled: false })
  const moved = await pushImage(registry, 'app', 'v1', 'other')
  assert.equal(moved.answer.status, 201)
  isDisallowed(await registry.send('DELETE', '/acr/v1/app/_tags/v1'))
  isDisallowed(await registry.send('DELETE', `/v2/app/manifests/${moved.digest}`))
})

for (const attribute of ['writeEnabled', 'deleteEnabled']) {
  test(`405: a manifest whose ${attribute} is false is not deleted, its tags are`, async (t) => {
    const registry = await startRegistry(t)
    const { digest } = await pushImage(registry, 'app', 'v1')
    await set(registry, `/acr/v1/app/_manifests/${digest}`, { [attribute]: false })
    isDisallowed(await registry.send('DELETE', `/v2/app/manifests/${digest}`))
    isDisallowed(await registry.send('DELETE', '/acr/v1/app'))
    assert.equal((await registry.send('DELETE', '/acr/v1/app/_tags/v1')).status, 202)
    assert.equal((await registry.send('GET', `/v2/app/manifests/${digest}`)).status, 200)
  })
}

test('405: a manifest that may not be written gets no other tag', async (t) => {
  const registry = await startRegistry(t)
  const { digest, body } = await pushImage(registry, 'app', 'v1')
  await set(registry, `/acr/v1/app/_manifests/${digest}`, { writeEnabled: false })
  isDisallowed(await put(registry, '/v2/app/manifests/v2', body))
  assert.equal((await pushImage(registry, 'app', 'v1', 'other')).answer.status, 201)
})

test('405: a repository that may not be written is locked with all that is in it', async (t) => {
  const registry = await startRegistry(t)
  const { digest, layer } = await pushImage(registry, 'app', 'v1')
  await set(registry, '/acr/v1/app', { writeEnabled: false })
  isDisallowed((await pushImage(registry, 'app', 'v2', 'other')).answer)
  isDisallowed(await registry.send('POST', '/v2/app/blobs/uploads/'))
  isDisallowed(await registry.send('DELETE', '/acr/v1/app/_tags/v1'))
  isDisallowed(await registry.send('DELETE', `/v2/app/manifests/${digest}`))
  isDisallowed(await registry.send('DELETE', `/v2/app/blobs/${layer}`))
  isDisallowed(await registry.send('DELETE', '/acr/v1/app'))
  assert.equal((await registry.send('GET', '/v2/app/manifests/v1')).status, 200)
  assert.equal((await pushImage(registry, 'app/two', 'v1')).answer.status, 201)
})

test('405: of a repository that may not be deleted single images may', async (t) => {
  const registry = await startRegistry(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  await set(registry, '/acr/v1/app', { deleteEnabled: false })
  isDisallowed(await registry.send('DELETE', '/acr/v1/app'))
  assert.equal((await pushImage(registry, 'app', 'v2')).answer.status, 201)
  assert.equal((await registry.send('DELETE', '/acr/v1/app/_tags/v2')).status, 202)
  assert.equal((await registry.send('DELETE', `/v2/app/manifests/${digest}`)).status, 202)
})

test('405: a locked image keeps its parts: manifests of an index, layers', async (t) => {
  const registry = await startRegistry(t)
  const child = await pushImage(registry, 'app', 'amd64')
  const index = JSON.stringify({
    schemaVersion: 2,
    manifests: [{ mediaType: OCI_MANIFEST, digest: child.digest, size: child.body.length }],
  })
  assert.equal((await put(registry, '/v2/app/manifests/v1', index, OCI_INDEX)).status, 201)
  await set(registry, '/acr/v1/app/_tags/v1', { deleteEnabled: false })
  isDisallowed(await registry.send('DELETE', `/v2/app/manifests/${child.digest}`))
  isDisallowed(await registry.send('DELETE', `/v2/app/blobs/${child.layer}`))
  assert.equal((await registry.send('DELETE', '/acr/v1/app/_tags/amd64')).status, 202)
  await set(registry, '/acr/v1/app/_tags/v1', { deleteEnabled: true })
  assert.equal((await registry.send('DELETE', `/v2/app/blobs/${child.layer}`)).status, 202)
})

test('405: what may not be read is not pulled: by a tag, by a digest, from a repository', async (t) => {
  const registry = await startRegistry(t)
  const { digest, body, layer } = await pushImage(registry, 'app', 'v1', 'same')
  await put(registry, '/v2/app/manifests/v2', body)
  const statusOf = async (method: string, path: string) =>
    (await registry.send(method, `/v2/app/${path}`)).status

  await set(registry, '/acr/v1/app/_tags/v1', { readEnabled: false })
  isDisallowed(await registry.send('GET', '/v2/app/manifests/v1'))
  assert.equal(await statusOf('HEAD', 'manifests/v1'), 405)
  assert.equal(await statusOf('GET', 'manifests/v2'), 200)
  assert.equal(await statusOf('GET', `manifests/${digest}`), 200)

  await set(registry, `/acr/v1/app/_manifests/${digest}`, { readEnabled: false })
  assert.equal(await statusOf('GET', 'manifests/v2'), 405)
  assert.equal(await statusOf('GET', `manifests/${digest}`), 405)
  await set(registry, `/acr/v1/app/_manifests/${digest}`, { readEnabled: true })

  await set(registry, '/acr/v1/app', { readEnabled: false })
  assert.equal(await statusOf('GET', `manifests/${digest}`), 405)
  assert.equal(await statusOf('GET', `blobs/${layer}`), 405)
  // It may still be pushed to, which asks for what is there, and described.
  assert.equal(await statusOf('HEAD', `blobs/${layer}`), 200)
  assert.equal((await pushImage(registry, 'app', 'v3')).answer.status, 201)
  assert.equal((await registry.send('GET', '/acr/v1/app/_tags/v1')).status, 200)
  const mounted = await registry.send('POST', `/v2/b/blobs/uploads/?mount=${layer}&from=app`)
  assert.equal(mounted.status, 202)
})

test('what may not be listed is left out of lists, and found by its name', async (t) => {
  const registry = await startRegistry(t)
  const hidden = await pushImage(registry, 'app', 'a')
  for (const tag of ['b', 'c']) await pushImage(registry, 'app', tag)
  await pushImage(registry, 'other', 'v1')
  await set(registry, '/acr/v1/app/_tags/a', { listEnabled: false })
  await set(registry, `/acr/v1/app/_manifests/${hidden.digest}`, { listEnabled: false })
  await set(registry, '/acr/v1/app', { listEnabled: false })
  const get = async (path: string) => (await registry.send('GET', path)).json()
  const namesOf = async (path: string, list: string, key: string) =>
    ((await get(path))[list] as Record<string, unknown>[]).map((item) => item[key])

  for (const path of ['/v2/_catalog', '/acr/v1/_catalog']) {
    assert.deepEqual((await get(path)).repositories, ['other'])
  }
  assert.deepEqual((await get('/v2/app/tags/list')).tags, ['b', 'c'])
  assert.deepEqual(await namesOf('/acr/v1/app/_tags', 'tags', 'name'), ['b', 'c'])
  assert.deepEqual(await namesOf('/acr/v1/app/_tags?orderby=timedesc&n=1', 'tags', 'name'), ['c'])
  const digests = await namesOf('/acr/v1/app/_manifests', 'manifests', 'digest')
  assert.equal(digests.length, 2)
  assert.ok(!digests.includes(hidden.digest))
  // Who cleans up takes a manifest without tags for one that nobody wants.
  const { manifest } = await get(`/acr/v1/app/_manifests/${hidden.digest}`)
  assert.deepEqual((manifest as { tags: unknown }).tags, ['a'])
  assert.equal((await registry.send('GET', '/v2/app/manifests/a')).status, 200)
})

test('a lock stays with its tag when that is moved, and goes with it', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  await set(registry, '/acr/v1/app/_tags/v1', { readEnabled: false })
  await pushImage(registry, 'app', 'v1', 'other')
  assert.equal((await registry.send('GET', '/v2/app/manifests/v1')).status, 405)
  assert.equal((await registry.send('DELETE', '/acr/v1/app/_tags/v1')).status, 202)
  await pushImage(registry, 'app', 'v1')
  assert.equal((await registry.send('GET', '/v2/app/manifests/v1')).status, 200)
})

test('a push and a lock at once: what was acknowledged is in effect', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const config = await pushBlob(registry, 'app', Buffer.from('{}'))
  const pushes = Array.from({ length: 20 }, (_, index) =>
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: 2 },
      layers: [],
      annotations: { index: String(index) },
    }),
  )
  const digestNow = async () =>
    (await registry.send('HEAD', '/v2/app/manifests/v1')).headers['docker-content-digest']
  const locked = set(registry, '/acr/v1/app/_tags/v1', { writeEnabled: false }).then(digestNow)
  const answers = await Promise.all(
    pushes.map((body) => put(registry, '/v2/app/manifests/v1', body)),
  )
  const digestThen = await locked
  assert.equal(await digestNow(), digestThen)
  for (const [index, { status }] of answers.entries()) {
    if (digestOf(Buffer.from(pushes[index] ?? '')) === digestThen) assert.equal(status, 201)
  }
})
