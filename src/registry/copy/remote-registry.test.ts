import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { assertNothingLeft, failsAs, startImport } from '../testing/import-fixture.ts'
import { ADMIN, basic, pushImage } from '../testing/registry-fixture.ts'
import { ImageCopyError } from './image-copy.ts'

test('of a registry that lets everybody read, no credentials are needed', async (t) => {
  const { source, target, host, open, copy } = await startImport(t)
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
    const { source, target, host, open, copy } = await startImport(t)
    await pushImage(source, 'team/app', 'v1')
    open()
    const from = { host, ...(credentials && { credentials }) }
    await assert.rejects(copy({ from }), failsAs('source-denied'))
    await assertNothingLeft(target)
  })
}

test('a password alone is a token', async (t) => {
  const { source, target, host, open, copy } = await startImport(t)
  await pushImage(source, 'team/app', 'v1')
  open()
  const scope = `service=${host}&scope=repository:team/app:pull`
  const answer = await source.send('GET', `/oauth2/token?${scope}`, { host })
  const { access_token: token } = answer.json() as { access_token: string }
  await copy({ from: { host, credentials: { password: token } } })
  assert.equal((await target.send('GET', '/v2/app/manifests/v1')).status, 200)
})

test('a registry that asks for Basic gets Basic', async (t) => {
  const { source, target, open, copy, asked } = await startImport(t, (request, response) => {
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
  const { copy, server } = await startImport(t, (request, response) => {
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
  const { copy, server, asked } = await startImport(t, (request, response) => {
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
    const { copy, target } = await startImport(t, (_request, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end()
      return true
    })
    await assert.rejects(copy(), ImageCopyError)
    await assertNothingLeft(target)
  }
})
