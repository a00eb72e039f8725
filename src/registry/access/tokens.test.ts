import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import {
  ADMIN,
  basic,
  type Fixture,
  pushImage,
  startRegistry,
  TENANT,
} from '../testing/registry-fixture.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const TOKEN_USER = '00000000-0000-0000-0000-000000000000'

const post = (registry: Fixture, path: string, form: Record<string, string>) =>
  registry.send('POST', path, {
    authorization: '',
    headers: FORM,
    body: new URLSearchParams({ service: registry.address, ...form }).toString(),
  })

const exchange = (registry: Fixture, who: string) =>
  post(registry, '/oauth2/exchange', {
    grant_type: 'access_token',
    tenant: TENANT,
    access_token: `aad-${who}`,
  })

async function accessToken(registry: Fixture, who: string, scope: string): Promise<string> {
  const refresh = String((await exchange(registry, who)).json().refresh_token)
  const form = { grant_type: 'refresh_token', refresh_token: refresh, scope }
  return String((await post(registry, '/oauth2/token', form)).json().access_token)
}

test('401: the challenge says where to get a token, without a blank after a comma', async (t) => {
  const registry = await startRegistry(t)
  const realm = `Bearer realm="http://${registry.address}/oauth2/token",service="${registry.address}"`
  const at = (path: string, method = 'GET') => registry.send(method, path, { authorization: '' })
  const base = await at('/v2/')
  assert.equal(base.status, 401)
  assert.equal(base.headers['www-authenticate'], realm)
  assert.equal(
    base.body.toString(),
    '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required, visit https://aka.ms/acr/authorization for more information.","detail":null}]}',
  )
  const pull = await at('/v2/team/app/manifests/v1')
  assert.equal(pull.headers['www-authenticate'], `${realm},scope="repository:team/app:pull"`)
  const upload = await at('/v2/app/blobs/uploads/', 'POST')
  assert.equal(upload.headers['www-authenticate'], `${realm},scope="repository:app:pull,push"`)
  const catalog = await at('/acr/v1/_catalog')
  assert.equal(catalog.headers['www-authenticate'], `${realm},scope="registry:catalog:*"`)
})

test('a token of the directory becomes a refresh token, and that an access token for what one may do', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const token = await accessToken(registry, 'reader', 'repository:app:pull,push,delete')
  const claims = decodeJwt(token)
  assert.deepEqual(claims.access, [{ type: 'repository', name: 'app', actions: ['pull'] }])
  assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 75 * 60)
  const authorization = `Bearer ${token}`
  const got = await registry.send('GET', '/v2/app/manifests/v1', { authorization })
  assert.equal(got.status, 200)
  assert.equal((await registry.send('GET', '/v2/', { authorization })).status, 200)
  const other = await registry.send('GET', '/v2/other/manifests/v1', { authorization })
  assert.equal(other.status, 401)
  const refused = await registry.send('DELETE', '/v2/app/manifests/v1', { authorization })
  assert.equal(refused.status, 401)
  assert.match(String(refused.headers['www-authenticate']), /,error="insufficient_scope"$/)
})

test('401: what a token was got with has ended', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const refresh = String((await exchange(registry, 'reader')).json().refresh_token)
  const authorization = `Bearer ${await accessToken(registry, 'reader', 'repository:app:pull')}`
  const pull = async () =>
    (await registry.send('GET', '/v2/app/manifests/v1', { authorization })).status
  assert.equal(await pull(), 200)
  registry.ended.add('reader')
  assert.equal(await pull(), 401)
  const form = { grant_type: 'refresh_token', refresh_token: refresh, scope: '' }
  assert.equal((await post(registry, '/oauth2/token', form)).status, 401)
  const docker = { authorization: basic(TOKEN_USER, refresh) }
  assert.equal((await registry.send('GET', '/oauth2/token', docker)).status, 401)
})

test('401: a right was taken away since a token was got', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const authorization = `Bearer ${await accessToken(registry, 'reader', 'repository:app:pull')}`
  registry.powerless.add('reader')
  const answer = await registry.send('GET', '/v2/app/manifests/v1', { authorization })
  assert.equal(answer.status, 401)
  assert.match(String(answer.headers['www-authenticate']), /,error="insufficient_scope"$/)
})

test('401: the admin user was switched off since a token was got', async (t) => {
  const registry = await startRegistry(t)
  const { user, password } = ADMIN
  const form = { grant_type: 'password', username: user, password, scope: 'registry:catalog:*' }
  const token = (await post(registry, '/oauth2/token', form)).json().access_token
  const catalog = async () => {
    const authorization = `Bearer ${token}`
    return (await registry.send('GET', '/v2/_catalog', { authorization })).status
  }
  assert.equal(await catalog(), 200)
  const { admin: _, ...without } = registry.facts
  registry.facts = without
  assert.equal(await catalog(), 401)
})

for (const [who, scope, expected] of [
  ['reader', 'registry:catalog:*', [{ type: 'registry', name: 'catalog', actions: ['*'] }]],
  ['owner', 'registry:None:*', []],
  [
    'writer',
    'repository:app:metadata_write,metadata_read,delete',
    [{ type: 'repository', name: 'app', actions: ['metadata_write', 'metadata_read'] }],
  ],
  [
    'owner',
    'repository:a:pull repository:b:*',
    [
      { type: 'repository', name: 'a', actions: ['pull'] },
      {
        type: 'repository',
        name: 'b',
        actions: [
          'pull',
          'push',
          'delete',
          'metadata_read',
          'metadata_write',
          'deleted_read',
          'deleted_restore',
        ],
      },
    ],
  ],
] as const) {
  test(`of '${scope}', the ${who} gets what the role gives`, async (t) => {
    const registry = await startRegistry(t)
    assert.deepEqual(decodeJwt(await accessToken(registry, who, scope)).access, expected)
  })
}

test('Docker signs in with a refresh token, the admin or a service principal', async (t) => {
  const registry = await startRegistry(t)
  const refresh = String((await exchange(registry, 'reader')).json().refresh_token)
  for (const [user, password] of [
    [TOKEN_USER, refresh],
    [ADMIN.user, ADMIN.password],
    ['app-writer', 'secret'],
  ] as const) {
    const authorization = basic(user, password)
    const path = `/oauth2/token?account=${user}&client_id=docker&offline_token=true&service=${registry.address}`
    const answer = await registry.send('GET', path, { authorization })
    assert.equal(answer.status, 200, user)
    const token = `Bearer ${answer.json().access_token}`
    assert.equal((await registry.send('GET', '/v2/', { authorization: token })).status, 200)
    assert.equal((await registry.send('GET', '/v2/', { authorization })).status, 200)
    const form = { grant_type: 'password', username: user, password, scope: '' }
    assert.equal((await post(registry, '/oauth2/token', form)).status, 200)
  }
})

test('401: credentials that prove nothing get no token', async (t) => {
  const registry = await startRegistry(t)
  const answers = [
    await registry.send('GET', '/oauth2/token', { authorization: basic(ADMIN.user, 'wrong') }),
    await registry.send('GET', '/oauth2/token', { authorization: basic(TOKEN_USER, 'garbled') }),
    await registry.send('GET', '/oauth2/token', { authorization: '' }),
    await exchange(registry, 'nobody'),
    await post(registry, '/oauth2/exchange', { grant_type: 'access_token', access_token: 'x' }),
    await post(registry, '/oauth2/token', { grant_type: 'refresh_token', refresh_token: 'x' }),
    await post(registry, '/oauth2/token', { grant_type: 'password' }),
    await registry.send('GET', '/v2/', { authorization: 'Bearer garbled' }),
    await registry.send('GET', '/v2/', { authorization: basic(ADMIN.user, 'wrong') }),
  ]
  for (const answer of answers)
    assert.deepEqual([answer.status, answer.code], [401, 'UNAUTHORIZED'])
})

test('401: an expired token, one of another kind and one of a registry that is gone are refused', async (t) => {
  const registry = await startRegistry(t)
  const start = registry.now
  const authorization = `Bearer ${await accessToken(registry, 'owner', 'repository:app:pull')}`
  const refresh = String((await exchange(registry, 'owner')).json().refresh_token)
  const base = async (given: string) =>
    (await registry.send('GET', '/v2/', { authorization: given })).status
  assert.equal(await base(authorization), 200)
  assert.equal(await base(`Bearer ${refresh}`), 401)
  registry.now = new Date(start.getTime() + 76 * 60 * 1000)
  assert.equal(await base(authorization), 401)
  registry.now = start
  registry.facts = { ...registry.facts, uid: 'uid-2' }
  assert.equal(await base(authorization), 401)
  const form = { grant_type: 'refresh_token', refresh_token: refresh }
  assert.equal((await post(registry, '/oauth2/token', form)).status, 401)
})

test('a refresh token lives three hours and carries what its owner may do now', async (t) => {
  const registry = await startRegistry(t)
  const refresh = String((await exchange(registry, 'owner')).json().refresh_token)
  const form = { grant_type: 'refresh_token', refresh_token: refresh }
  registry.now = new Date(registry.now.getTime() + 179 * 60 * 1000)
  assert.equal((await post(registry, '/oauth2/token', form)).status, 200)
  registry.now = new Date(registry.now.getTime() + 2 * 60 * 1000)
  assert.equal((await post(registry, '/oauth2/token', form)).status, 401)
})

test('where anonymous pull is on, nobody may pull and list, and nothing more', async (t) => {
  const registry = await startRegistry(t)
  registry.facts = { ...registry.facts, anonymousPull: true }
  await pushImage(registry, 'app', 'v1')
  const form = {
    grant_type: 'password',
    refresh_token: '',
    scope: 'repository:app:pull,push,metadata_read',
  }
  const answer = await post(registry, '/oauth2/token', form)
  const authorization = `Bearer ${answer.json().access_token}`
  const pulled = await registry.send('GET', '/v2/app/manifests/v1', { authorization })
  assert.equal(pulled.status, 200)
  const pushed = await registry.send('POST', '/v2/app/blobs/uploads/', { authorization })
  assert.equal(pushed.status, 401)
})
