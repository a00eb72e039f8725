import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'
import {
  assertNothingLeft,
  assertNoUploads,
  failsAs,
  startImport,
} from '../testing/import-fixture.ts'
import { type Fixture, pushBlob, pushImage } from '../testing/registry-fixture.ts'
import type { ImageCopyError } from './image-copy.ts'

/** Two images and an index that names them, as `team/app:v1`. */
async function pushIndex(source: Fixture): Promise<void> {
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
}

test('an index comes from elsewhere with every platform, by password, under all its names', async (t) => {
  const { source, target, open, copy, asked, events } = await startImport(t)
  await pushIndex(source)
  open()
  await copy({ targetTags: ['app:v1', 'copy/app:v2'], untaggedTargetRepositories: ['bare'] })
  const byName = await target.send('GET', '/v2/app/manifests/v1')
  const children = byName.json().manifests as { digest: string }[]
  assert.equal(children.length, 2)
  for (const repository of ['app', 'copy/app', 'bare']) {
    for (const { digest } of children) {
      const image = await target.send('GET', `/v2/${repository}/manifests/${digest}`)
      const { layers } = image.json() as { layers: { digest: string; size: number }[] }
      const blob = await target.send('GET', `/v2/${repository}/blobs/${layers[0]?.digest}`)
      assert.deepEqual(
        [digestOf(blob.body), blob.body.length],
        [layers[0]?.digest, layers[0]?.size],
      )
    }
  }
  const described = await target.send('GET', `/acr/v1/app/_manifests/${children[0]?.digest}`)
  assert.equal((described.json().manifest as { architecture: string }).architecture, 'amd64')
  assert.deepEqual((await target.send('GET', '/v2/bare/tags/list')).json().tags, [])
  assert.equal(asked('/blobs/').length, 4)
  assert.ok(events.every(({ who }) => who === 'a test'))
  await assertNoUploads(target)
})

test('an image comes by its digest, and blobs that are there are not fetched again', async (t) => {
  const { source, target, open, copy, asked } = await startImport(t)
  const { digest } = await pushImage(source, 'team/app', 'v1')
  open()
  await copy({ sourceImage: `team/app@${digest}` })
  assert.equal(asked('/blobs/').length, 2)
  await copy({ sourceImage: `team/app@${digest}`, force: true, targetTags: ['app:v1', 'b:v1'] })
  assert.equal(asked('/blobs/').length, 2)
  const { layers } = (await target.send('GET', '/v2/b/manifests/v1')).json() as {
    layers: { digest: string }[]
  }
  assert.equal((await target.send('GET', `/v2/b/blobs/${layers[0]?.digest}`)).status, 200)
})

test('a digest is no key to what another registry here holds', async (t) => {
  const { source, target, open, copy } = await startImport(t, (request, response) => {
    if (request.method !== 'GET' || !request.url?.includes('/blobs/')) return false
    response.writeHead(404).end()
    return true
  })
  await pushImage(source, 'team/app', 'v1')
  target.facts = { ...target.facts, uid: 'uid-2' }
  await pushImage(target, 'secret', 'v1')
  target.facts = { ...target.facts, uid: 'uid-1' }
  open()
  await assert.rejects(copy(), failsAs('source-unknown'))
  await assertNothingLeft(target)
})

for (const [what, part, answer, code] of [
  ['a blob with other bytes', '/blobs/', (r) => r.end('x'.repeat(8)), 'source-invalid'],
  ['a blob that is too long', '/blobs/', (r) => r.end('x'.repeat(5000)), 'source-invalid'],
  [
    'a blob that breaks off',
    '/blobs/',
    (r) => {
      r.writeHead(200, { 'content-length': 8 }).write('x')
      setImmediate(() => r.destroy())
    },
    'source-unreachable',
  ],
  ['a blob that is not there', '/blobs/', (r) => r.writeHead(404).end(), 'source-unknown'],
  ['a blob that fails', '/blobs/', (r) => r.writeHead(503).end(), 'source-unreachable'],
  [
    'a manifest with other bytes',
    '/manifests/sha256',
    (r) => r.end('{"schemaVersion":2}'),
    'source-invalid',
  ],
  ['a manifest that is none', '/manifests/v1', (r) => r.end('<html>'), 'source-invalid'],
  [
    'a manifest of the first format',
    '/manifests/v1',
    (r) =>
      r
        .writeHead(200, {
          'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws',
        })
        .end('{"schemaVersion":1}'),
    'source-invalid',
  ],
  [
    'a manifest without an end',
    '/manifests/v1',
    (r) => r.end(Buffer.alloc(5 << 20, 32)),
    'source-invalid',
  ],
] as const satisfies readonly (readonly [
  string,
  string,
  (response: ServerResponse) => void,
  ImageCopyError['code'],
])[]) {
  test(`${what} makes the import fail and leaves nothing to be seen`, async (t) => {
    const { source, target, open, copy } = await startImport(t, (request, response) => {
      if (!request.headers.authorization || !request.url?.includes(part)) return false
      answer(response)
      return true
    })
    await pushIndex(source)
    open()
    await assert.rejects(copy(), failsAs(code))
    await assertNothingLeft(target)
  })
}

test('layers that may not be distributed are left where they are', async (t) => {
  const { source, target, open, copy } = await startImport(t)
  const config = Buffer.from('{}')
  const digest = await pushBlob(source, 'team/app', config)
  const foreign = digestOf(Buffer.from('far away'))
  await source.send('PUT', '/v2/team/app/manifests/v1', {
    headers: { 'content-type': 'application/vnd.docker.distribution.manifest.v2+json' },
    body: JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        digest,
        size: config.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
          digest: foreign,
          size: 8,
          urls: ['https://far.test/away'],
        },
      ],
    }),
  })
  open()
  await copy()
  const image = await target.send('GET', '/v2/app/manifests/v1')
  assert.match(image.body.toString(), /far\.test/)
  assert.equal((await target.send('HEAD', `/v2/app/blobs/${foreign}`)).status, 404)
})

test('a tag that exists ends the import before anything is asked for', async (t) => {
  const { source, target, open, copy, requests } = await startImport(t)
  await pushImage(source, 'team/app', 'v1')
  await pushImage(target, 'b', 'v1')
  open()
  await assert.rejects(copy({ targetTags: ['app:v1', 'b:v1'] }), failsAs('target-exists'))
  assert.deepEqual(requests, [])
  assert.equal((await target.send('GET', '/v2/app/manifests/v1')).status, 404)
  await copy({ targetTags: ['app:v1', 'b:v1'], force: true })
  assert.equal((await target.send('GET', '/v2/app/manifests/v1')).status, 200)
})

test('an import that is ended goes on later with the blobs it has', async (t) => {
  const stop = new AbortController()
  let isHeld = true
  const { source, target, open, copy, asked } = await startImport(t, (request, response) => {
    const { url = '', headers } = request
    if (!headers.authorization || !url.includes(held) || !isHeld) return false
    response.writeHead(200, { 'content-length': 8 }).write('held')
    void waitForOther().then(() => stop.abort(new Error('the server ends')))
    return true
  })
  const { layer, body } = await pushImage(source, 'team/app', 'v1')
  const held = layer
  const { config } = JSON.parse(body) as { config: { digest: string } }
  async function waitForOther() {
    const look = () => target.send('HEAD', `/v2/app/blobs/${config.digest}`)
    for (let looks = 0; (await look()).status !== 200; looks++) assert.ok(looks < 10_000)
  }
  open()
  await assert.rejects(copy({}, stop.signal), /the server ends/)
  await assertNothingLeft(target)
  isHeld = false
  await copy()
  assert.equal(asked(`/blobs/${config.digest}`).length, 1)
  assert.equal(asked(`/blobs/${layer}`).length, 2)
  assert.equal((await target.send('GET', `/v2/app/blobs/${layer}`)).status, 200)
})

test('at most three blobs come at a time', async (t) => {
  let running = 0
  let most = 0
  const { source, open, copy } = await startImport(t, (request, response) => {
    if (!request.url?.includes('/blobs/')) return false
    running += 1
    most = Math.max(most, running)
    response.on('finish', () => {
      running -= 1
    })
    return false
  })
  const config = Buffer.from('{}')
  const blobs = Array.from({ length: 12 }, (_, n) => Buffer.from(`layer ${n}`))
  for (const each of [config, ...blobs]) await pushBlob(source, 'team/app', each)
  const part = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  await source.send('PUT', '/v2/team/app/manifests/v1', {
    headers: { 'content-type': OCI_MANIFEST },
    body: JSON.stringify({
      schemaVersion: 2,
      config: part(config, 'application/vnd.oci.image.config.v1+json'),
      layers: blobs.map((each) => part(each, 'application/vnd.oci.image.layer.v1.tar')),
    }),
  })
  open()
  await copy()
  assert.ok(most <= 3 && most > 1, `${most} at a time`)
})
