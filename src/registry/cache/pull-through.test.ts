import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'
import { startCache, until } from '../testing/cache-fixture.ts'
import { assertNoUploads } from '../testing/import-fixture.ts'
import { type Fixture, pushImage, RECHECK_SECONDS } from '../testing/registry-fixture.ts'

const LOCK = {
  body: '{"writeEnabled":false}',
  headers: { 'content-type': 'application/json' },
}

const later = (now: Date, seconds = RECHECK_SECONDS): Date =>
  new Date(now.getTime() + seconds * 1000)

test('an image comes by the first pull, and the second asks nobody', async (t) => {
  const { source, target, open, asked, requests } = await startCache(t)
  const { body, layer } = await pushImage(source, 'team/app', 'v1')
  const { config } = JSON.parse(body) as { config: { digest: string } }
  open()
  const pull = async () => {
    const manifest = await target.send('GET', '/v2/hub/app/manifests/v1')
    const blobs = [
      await target.send('GET', `/v2/hub/app/blobs/${config.digest}`),
      await target.send('GET', `/v2/hub/app/blobs/${layer}`),
    ]
    return [manifest.body.toString(), ...blobs.map((blob) => blob.body.toString())]
  }
  const first = await pull()
  assert.deepEqual([first[0], first[2]], [body, 'layer v1'])
  assert.deepEqual(asked('/manifests/'), ['GET v1'])
  assert.deepEqual(asked('/blobs/').toSorted(), [`GET ${config.digest}`, `GET ${layer}`].toSorted())
  const before = requests.length
  assert.deepEqual(await pull(), first)
  assert.equal(requests.length, before)
  await assertNoUploads(target)
})

test('what was pulled is listed like any other, with its platform', async (t) => {
  const { source, target, open } = await startCache(t)
  const { digest } = await pushImage(source, 'team/app', 'v1')
  open()
  await target.send('GET', '/v2/hub/app/manifests/v1')
  assert.deepEqual((await target.send('GET', '/v2/_catalog')).json(), { repositories: ['hub/app'] })
  assert.deepEqual((await target.send('GET', '/v2/hub/app/tags/list')).json().tags, ['v1'])
  const described = async () => {
    const answer = await target.send('GET', `/acr/v1/hub/app/_manifests/${digest}`)
    return (answer.json().manifest as { architecture?: string }).architecture
  }
  await until(async () => (await described()) === 'amd64')
})

test('HEAD brings a manifest as GET does', async (t) => {
  const { source, target, open } = await startCache(t)
  const { digest } = await pushImage(source, 'team/app', 'v1')
  open()
  const answer = await target.send('HEAD', '/v2/hub/app/manifests/v1')
  assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [200, digest])
  assert.equal((await target.send('GET', `/v2/hub/app/manifests/${digest}`)).status, 200)
})

test('a manifest comes by its digest', async (t) => {
  const { source, target, open } = await startCache(t)
  const { digest, body } = await pushImage(source, 'team/app', 'v1')
  open()
  const answer = await target.send('GET', `/v2/hub/app/manifests/${digest}`)
  assert.deepEqual([answer.status, answer.body.toString()], [200, body])
  assert.deepEqual((await target.send('GET', '/v2/hub/app/tags/list')).json().tags, [])
})

test('a tag that moves elsewhere moves here when it is looked after again', async (t) => {
  const { source, target, open, asAddress, asked } = await startCache(t)
  const one = await pushImage(source, 'team/app', 'v1', 'one')
  open()
  const digestHere = async () =>
    (await target.send('HEAD', '/v2/hub/app/manifests/v1')).headers['docker-content-digest']
  assert.equal(await digestHere(), one.digest)
  const two = await asAddress(() => pushImage(source, 'team/app', 'v1', 'two'))
  assert.equal(await digestHere(), one.digest)
  assert.deepEqual(asked('/manifests/'), ['GET v1'])
  target.now = later(target.now)
  assert.equal(await digestHere(), two.digest)
  assert.deepEqual(asked('/manifests/'), ['GET v1', 'HEAD v1', 'GET v1'])
  target.now = later(target.now)
  assert.equal(await digestHere(), two.digest)
  // It has not moved: only looked after, which nobody counts as a pull.
  assert.deepEqual(asked('/manifests/').slice(3), ['HEAD v1'])
  assert.equal(await digestHere(), two.digest)
  assert.equal(asked('/manifests/').length, 4)
})

test('what is gone elsewhere stays here', async (t) => {
  const { source, target, open, asAddress, asked } = await startCache(t)
  await pushImage(source, 'team/app', 'v1')
  open()
  await target.send('GET', '/v2/hub/app/manifests/v1')
  await asAddress(() => source.send('DELETE', '/v2/team/app/manifests/v1'))
  target.now = later(target.now)
  assert.equal((await target.send('GET', '/v2/hub/app/manifests/v1')).status, 200)
  assert.equal((await target.send('GET', '/v2/hub/app/manifests/v1')).status, 200)
  assert.deepEqual(asked('/manifests/'), ['GET v1', 'HEAD v1'])
})

test('what is deleted here comes again', async (t) => {
  const { source, target, open } = await startCache(t)
  const { digest } = await pushImage(source, 'team/app', 'v1')
  open()
  await target.send('GET', '/v2/hub/app/manifests/v1')
  assert.equal((await target.send('DELETE', `/v2/hub/app/manifests/${digest}`)).status, 202)
  assert.equal((await target.send('GET', '/v2/hub/app/manifests/v1')).status, 200)
  assert.equal((await target.send('DELETE', '/acr/v1/hub/app')).status, 202)
  assert.equal((await target.send('GET', '/v2/hub/app/manifests/v1')).status, 200)
})

test('a tag that somebody has pushed here stays the pusher’s', async (t) => {
  const { source, target, open, requests } = await startCache(t)
  await pushImage(source, 'team/app', 'v1', 'theirs')
  open()
  await target.send('GET', '/v2/hub/app/manifests/v1')
  const { digest } = await pushImage(target, 'hub/app', 'v1', 'ours')
  const before = requests.length
  target.now = later(target.now)
  const { headers } = await target.send('GET', '/v2/hub/app/manifests/v1')
  assert.equal(headers['docker-content-digest'], digest)
  assert.equal(requests.length, before)
})

for (const [what, hold] of [
  ['locked', async (target) => void (await target.send('PATCH', '/acr/v1/hub/app/_tags/v1', LOCK))],
  [
    'held by the first push',
    async (target) => {
      target.facts = { ...target.facts, immutableTagsIn: ['*'] }
    },
  ],
] as const satisfies readonly (readonly [string, (target: Fixture) => Promise<void>])[]) {
  test(`a tag that is ${what} does not follow its source`, async (t) => {
    const { source, target, open, asAddress, asked } = await startCache(t)
    const { digest } = await pushImage(source, 'team/app', 'v1', 'one')
    open()
    await target.send('GET', '/v2/hub/app/manifests/v1')
    await hold(target)
    await asAddress(() => pushImage(source, 'team/app', 'v1', 'two'))
    target.now = later(target.now)
    for (let pulls = 0; pulls < 3; pulls++) {
      const { headers } = await target.send('GET', '/v2/hub/app/manifests/v1')
      assert.equal(headers['docker-content-digest'], digest)
    }
    assert.deepEqual(asked('/manifests/'), ['GET v1', 'HEAD v1', 'GET v1'])
  })
}

test('it is remembered over a restart when a tag was looked after', async (t) => {
  const { source, target, rule, open, requests } = await startCache(t)
  await pushImage(source, 'team/app', 'v1')
  open()
  await target.send('GET', '/v2/hub/app/manifests/v1')
  const before = requests.length
  const again = await target.restart()
  again.facts = { ...again.facts, cacheRules: [rule] }
  assert.equal((await again.send('GET', '/v2/hub/app/manifests/v1')).status, 200)
  assert.equal(requests.length, before)
})

test('other repositories are asked for nowhere', async (t) => {
  const { target, open, requests } = await startCache(t)
  open()
  const answer = await target.send('GET', '/v2/hubble/app/manifests/v1')
  assert.deepEqual([answer.status, answer.code], [404, 'NAME_UNKNOWN'])
  assert.equal((await target.send('GET', '/v2/hub/manifests/v1')).status, 404)
  assert.deepEqual(requests, [])
})

test('a copy of what is here in part is whole', async (t) => {
  const { source, target, open } = await startCache(t)
  const images = [
    await pushImage(source, 'team/app', 'one'),
    await pushImage(source, 'team/app', 'two'),
  ]
  const manifests = images.map(({ digest, body }) => ({
    mediaType: OCI_MANIFEST,
    digest,
    size: body.length,
  }))
  await source.send('PUT', '/v2/team/app/manifests/v1', {
    body: JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
    headers: { 'content-type': OCI_INDEX },
  })
  open()
  await target.send('GET', '/v2/hub/app/manifests/v1')
  await target.plane.copyImage(
    {
      from: { registryUid: 'uid-1' },
      sourceImage: 'hub/app:v1',
      to: { registryUid: 'uid-1', immutableTagsIn: [] },
      targetTags: ['copy:v1'],
      untaggedTargetRepositories: [],
      force: false,
    },
    { who: 'a test' },
  )
  target.facts = { ...target.facts, cacheRules: [] }
  for (const { digest, layer } of images) {
    assert.equal((await target.send('GET', `/v2/copy/manifests/${digest}`)).status, 200)
    assert.equal((await target.send('GET', `/v2/copy/blobs/${layer}`)).status, 200)
  }
})

test('401: who may not pull has nothing fetched', async (t) => {
  const { source, target, open, requests } = await startCache(t)
  const { layer } = await pushImage(source, 'team/app', 'v1')
  open()
  for (const path of ['manifests/v1', `blobs/${layer}`]) {
    const answer = await target.send('GET', `/v2/hub/app/${path}`, { authorization: '' })
    assert.equal(answer.status, 401)
  }
  assert.deepEqual(requests, [])
  const asReader = { authorization: `Basic ${Buffer.from('app-reader:secret').toString('base64')}` }
  assert.equal((await target.send('GET', '/v2/hub/app/manifests/v1', asReader)).status, 200)
})

test('405: of a repository that may not be read nothing is fetched, not even a layer, until it may', async (t) => {
  const { source, target, open, requests } = await startCache(t)
  const { layer } = await pushImage(source, 'team/app', 'v1')
  const other = await pushImage(source, 'team/app', 'v2')
  open()
  await target.send('GET', '/v2/hub/app/manifests/v1')
  const { config } = JSON.parse(other.body) as { config: { digest: string } }
  const set = (readEnabled: boolean) =>
    target.send('PATCH', '/acr/v1/hub/app', {
      body: JSON.stringify({ readEnabled }),
      headers: { 'content-type': 'application/json' },
    })
  await until(async () => {
    const listed = await target.send('GET', '/acr/v1/hub/app/_manifests')
    return listed.body.toString().includes('amd64')
  })
  assert.equal((await set(false)).status, 200)
  const before = requests.length
  for (const path of ['manifests/v1', 'manifests/v2', `blobs/${layer}`]) {
    const answer = await target.send('GET', `/v2/hub/app/${path}`)
    assert.deepEqual([answer.status, answer.code], [405, 'REGISTRY_DISALLOWED_OPERATION'], path)
  }
  target.now = later(target.now)
  assert.equal((await target.send('HEAD', '/v2/hub/app/manifests/v1')).status, 405)
  // A push asks so, and is told the truth.
  for (const digest of [layer, config.digest]) {
    assert.equal((await target.send('HEAD', `/v2/hub/app/blobs/${digest}`)).status, 404)
  }
  assert.equal(requests.length, before)
  await set(true)
  assert.equal((await target.send('GET', `/v2/hub/app/blobs/${layer}`)).status, 200)
})

test('405: with a URL that was signed before, neither', async (t) => {
  const { source, target, open, requests } = await startCache(t)
  const { layer } = await pushImage(source, 'team/app', 'v1')
  open()
  await target.send('GET', '/v2/hub/app/manifests/v1')
  target.facts = { ...target.facts, redirectsBlobs: true }
  await until(async () => {
    const listed = await target.send('GET', '/acr/v1/hub/app/_manifests')
    return listed.body.toString().includes('amd64')
  })
  // Who is redirected has the blob fetched: this one was deleted since.
  const redirect = await target.send('GET', `/v2/hub/app/blobs/${layer}`)
  const { host, pathname, search } = new URL(String(redirect.headers.location))
  const signed = () => target.send('GET', `${pathname}${search}`, { host, authorization: '' })
  assert.equal((await signed()).status, 200)
  await target.send('DELETE', `/v2/hub/app/blobs/${layer}`)
  await target.send('PATCH', '/acr/v1/hub/app', {
    body: '{"readEnabled":false}',
    headers: { 'content-type': 'application/json' },
  })
  const before = requests.length
  assert.deepEqual((await signed()).code, 'REGISTRY_DISALLOWED_OPERATION')
  assert.equal(requests.length, before)
})
