import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openServed } from '../egress/egress-for-tests.ts'
import { digestOf } from '../lib/digest.ts'
import { setOrigin } from '../lib/origin.ts'
import { type ImageCopy, ImageCopyError } from './image-copy.ts'
import { OCI_INDEX, OCI_MANIFEST } from './manifest.ts'
import {
  ADMIN,
  basic,
  type Fixture,
  pushBlob,
  pushImage,
  startRegistry,
} from './testing/registry-fixture.ts'

const CREDENTIALS = { username: ADMIN.user, password: ADMIN.password }
const ERRAND = { who: 'a test' }

/** Answers in the source's place where it returns true. */
type Intervene = (request: IncomingMessage, response: ServerResponse) => boolean

/** A registry, and one elsewhere that it may import from: a real one, behind TLS, which asks for a sign-in. */
async function setUp(t: TestContext, intervene: Intervene = () => false) {
  const source = await startRegistry(t)
  const served = await openServed(t, (request, response) => {
    if (intervene(request, response)) return
    setOrigin(request, { via: 'public', place: 'internet', address: '203.0.113.9' })
    source.plane.handle(request, response)
  })
  const target = await startRegistry(t, served.egress)
  const host = new URL(served.urlOf('/')).host
  const from = { host, credentials: CREDENTIALS }
  /** From now on it is the source by its name elsewhere, and no longer takes pushes by its address. */
  const open = (facts: Partial<Fixture['facts']> = {}) => {
    source.facts = { ...source.facts, loginServer: host, ...facts }
  }
  const copy = (change: Partial<ImageCopy> = {}, signal?: AbortSignal) =>
    target.plane.copyImage(
      {
        from,
        sourceImage: 'team/app:v1',
        to: { registryUid: 'uid-1' },
        targetTags: ['app:v1'],
        untaggedTargetRepositories: [],
        force: false,
        ...change,
      },
      { ...ERRAND, ...(signal && { signal }) },
    )
  const asked = (part: string) => served.requests.filter(({ url }) => url?.includes(part))
  return { ...served, source, target, host, from, open, copy, asked }
}

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

const failsAs = (code: ImageCopyError['code']) => (error: unknown) =>
  error instanceof ImageCopyError && error.code === code

async function assertNothingLeft(target: Fixture): Promise<void> {
  assert.deepEqual((await target.send('GET', '/v2/_catalog')).json(), { repositories: [] })
  await assertNoUploads(target)
}

test('an index comes from elsewhere with every platform, by password, under all its names', async (t) => {
  const { source, target, open, copy, asked, events } = await setUp(t)
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

async function assertNoUploads(target: Fixture): Promise<void> {
  const uploads = join(target.folder, 'content', 'uploads')
  for (const registry of await readdir(uploads)) {
    assert.deepEqual(await readdir(join(uploads, registry)), [])
  }
}

test('an image comes by its digest, and blobs that are there are not fetched again', async (t) => {
  const { source, target, open, copy, asked } = await setUp(t)
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
  const { source, target, open, copy } = await setUp(t, (request, response) => {
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

test('of a registry that lets everybody read, no credentials are needed', async (t) => {
  const { source, target, host, open, copy } = await setUp(t)
  await pushImage(source, 'team/app', 'v1')
  open({ anonymousPull: true })
  await copy({ from: { host } })
  assert.equal((await target.send('GET', '/v2/app/manifests/v1')).status, 200)
})

for (const [what, credentials] of [
  ['without credentials', undefined],
  ['with a wrong password', { username: ADMIN.user, password: 'wrong' }],
  ['with a wrong token', { password: 'wrong' }],
  ['with a token that no header can hold', { password: 'a\r\nb: c' }],
] as const) {
  test(`an import ${what} is refused and leaves nothing`, async (t) => {
    const { source, target, host, open, copy } = await setUp(t)
    await pushImage(source, 'team/app', 'v1')
    open()
    const from = { host, ...(credentials && { credentials }) }
    await assert.rejects(copy({ from }), failsAs('source-denied'))
    await assertNothingLeft(target)
  })
}

test('a password alone is a token', async (t) => {
  const { source, target, host, open, copy } = await setUp(t)
  await pushImage(source, 'team/app', 'v1')
  const answer = await source.send(
    'GET',
    `/oauth2/token?service=${source.address}&scope=repository:team/app:pull`,
  )
  open()
  const { access_token: token } = answer.json() as { access_token: string }
  await copy({ from: { host, credentials: { password: token } } }).catch(() => undefined)
  const { access_token: right } = (
    await source.send('GET', `/oauth2/token?service=${host}&scope=repository:team/app:pull`, {
      host,
    })
  ).json() as { access_token: string }
  await copy({ from: { host, credentials: { password: right } }, force: true })
  assert.equal((await target.send('GET', '/v2/app/manifests/v1')).status, 200)
})

test('a registry that asks for Basic gets Basic', async (t) => {
  const { source, target, open, copy, asked } = await setUp(t, (request, response) => {
    if (request.headers.authorization) return false
    response.writeHead(401, { 'www-authenticate': 'Basic realm="Registry Realm"' }).end()
    return true
  })
  await pushImage(source, 'team/app', 'v1')
  open()
  await copy()
  assert.equal((await target.send('GET', '/v2/app/manifests/v1')).status, 200)
  assert.equal(asked('/oauth2').length, 0)
})

test('credentials go to the realm that the registry names, and not to where it redirects', async (t) => {
  const seen: (string | undefined)[] = []
  const image = { layer: Buffer.from('bytes') }
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(image.layer),
        size: image.layer.length,
      },
      layers: [],
    }),
  )
  const { copy, server } = await setUp(t, (request, response) => {
    const { url = '', headers } = request
    const isOther = headers.host?.startsWith('other.test')
    seen.push(`${headers.host?.split(':')[0]} ${url.split('?')[0]} ${headers.authorization ?? '-'}`)
    if (url.startsWith('/token')) response.end(JSON.stringify({ token: 'the-token' }))
    else if (isOther) response.end(image.layer)
    else if (!headers.authorization) {
      const realm = `https://other.test:${server.port}/token`
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end()
    } else if (url.includes('/blobs/')) {
      response.writeHead(307, { location: `https://other.test:${server.port}/storage` }).end()
    } else response.writeHead(200, { 'content-type': OCI_MANIFEST }).end(manifest)
    return true
  })
  await copy()
  const digest = digestOf(image.layer)
  assert.deepEqual(seen, [
    'registry.test /v2/team/app/manifests/v1 -',
    `other.test /token ${basic(ADMIN.user, ADMIN.password)}`,
    'registry.test /v2/team/app/manifests/v1 Bearer the-token',
    `registry.test /v2/team/app/blobs/${digest} Bearer the-token`,
    'other.test /storage -',
  ])
})

test('who a registry redirects to cannot ask for its credentials', async (t) => {
  const { copy, server, asked } = await setUp(t, (request, response) => {
    if (request.headers.host?.startsWith('other.test')) {
      const realm = `https://other.test:${server.port}/token`
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end()
    } else response.writeHead(307, { location: `https://other.test:${server.port}/` }).end()
    return true
  })
  await assert.rejects(copy(), failsAs('source-denied'))
  assert.equal(asked('/token').length, 0)
})

test('credentials are not sent to a realm without https, nor into the inside', async (t) => {
  for (const realm of ['http://registry.test/token', 'https://10.0.0.1/token', 'token']) {
    const { copy, target } = await setUp(t, (_request, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end()
      return true
    })
    await assert.rejects(copy(), ImageCopyError)
    await assertNothingLeft(target)
  }
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
    const { source, target, open, copy } = await setUp(t, (request, response) => {
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
  const { source, target, open, copy } = await setUp(t)
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
  const { source, target, open, copy, requests } = await setUp(t)
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
  const { source, target, open, copy, asked } = await setUp(t, (request, response) => {
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
    while ((await target.send('HEAD', `/v2/app/blobs/${config.digest}`)).status !== 200);
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
  const { source, open, copy } = await setUp(t, (request, response) => {
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
