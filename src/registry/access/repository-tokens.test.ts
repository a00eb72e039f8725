import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import type { TokenFacts } from '../registry-directory.ts'
import {
  ADMIN,
  basic,
  type Fixture,
  pushImage,
  startRegistry,
} from '../testing/registry-fixture.ts'

const MINUTE = 60 * 1000
const hashOf = (password: string) => createHash('sha256').update(password).digest()

/** Gives the registry a token whose passwords are `one` and `two`. */
function give(registry: Fixture, name: string, given: Partial<TokenFacts> = {}): void {
  const token: TokenFacts = {
    name,
    isEnabled: true,
    passwords: [{ hash: hashOf('one') }, { hash: hashOf('two') }],
    scopes: new Map([['app', ['pull']]]),
    ...given,
  }
  const tokens = new Map(registry.facts.tokens).set(name.toLowerCase(), token)
  registry.facts = { ...registry.facts, tokens }
}

const ask = (registry: Fixture, user: string, password: string, ...scopes: readonly string[]) => {
  const query = scopes.map((scope) => `&scope=${encodeURIComponent(scope)}`).join('')
  return registry.send('GET', `/oauth2/token?service=${registry.address}${query}`, {
    authorization: basic(user, password),
  })
}

/** What an access token is worth in an `Authorization` header; undefined where there is none to be had. */
async function bearer(registry: Fixture, password: string, ...scopes: readonly string[]) {
  const answer = await ask(registry, 'ci-puller', password, ...scopes)
  return answer.status === 200 ? `Bearer ${answer.json().access_token}` : undefined
}

const accessOf = (authorization: string | undefined) =>
  decodeJwt(authorization?.replace('Bearer ', '') ?? '').access

const pull = async (registry: Fixture, authorization: string | undefined, repository = 'app') =>
  (
    await registry.send('GET', `/v2/${repository}/manifests/v1`, {
      authorization: authorization ?? '',
    })
  ).status

test('a token signs in with either password, in any case of its name, in every way Docker does', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  give(registry, 'ci-puller')
  for (const [user, password] of [
    ['ci-puller', 'one'],
    ['CI-Puller', 'two'],
  ] as const) {
    const answer = await ask(registry, user, password, 'repository:app:pull')
    assert.equal(answer.status, 200)
    assert.equal(await pull(registry, `Bearer ${answer.json().access_token}`), 200)
    assert.equal(await pull(registry, basic(user, password)), 200)
    const form = { grant_type: 'password', username: user, password, scope: 'repository:app:pull' }
    const posted = await registry.send('POST', '/oauth2/token', {
      authorization: '',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    })
    assert.equal(await pull(registry, `Bearer ${posted.json().access_token}`), 200)
  }
})

test('401: a wrong password, that of another token, and a token that is not there', async (t) => {
  const registry = await startRegistry(t)
  give(registry, 'ci-puller')
  give(registry, 'other', { passwords: [{ hash: hashOf('three') }] })
  give(registry, 'without', { passwords: [] })
  for (const [user, password] of [
    ['ci-puller', 'three'],
    ['ci-puller', ''],
    ['ci-puller', ADMIN.password],
    ['without', ''],
    ['nobody', 'one'],
  ] as const) {
    const answer = await ask(registry, user, password)
    assert.deepEqual([answer.status, answer.code], [401, 'UNAUTHORIZED'], `${user}:${password}`)
    assert.equal(await pull(registry, basic(user, password)), 401)
  }
})

test('of what is asked for, a token gets what its scope map allows, and never the catalog', async (t) => {
  const registry = await startRegistry(t)
  const scopes = new Map([
    ['app', ['pull', 'push']],
    ['samples/*', ['pull', 'metadata_read']],
    ['samples/gone', ['delete']],
  ])
  give(registry, 'ci-puller', { scopes })
  const authorization = await bearer(
    registry,
    'one',
    'repository:app:*',
    'repository:samples/gone:pull,push,delete,metadata_read',
    'repository:secret:pull',
    'registry:catalog:*',
  )
  assert.deepEqual(accessOf(authorization), [
    { type: 'repository', name: 'app', actions: ['pull', 'push'] },
    { type: 'repository', name: 'samples/gone', actions: ['pull', 'delete', 'metadata_read'] },
  ])
})

test('401: a token that reads everything does not list the catalog', async (t) => {
  const registry = await startRegistry(t)
  give(registry, 'ci-puller', { scopes: new Map([['*', ['pull', 'metadata_read']]]) })
  const authorization = basic('ci-puller', 'one')
  for (const path of ['/v2/_catalog', '/acr/v1/_catalog']) {
    assert.equal((await registry.send('GET', path, { authorization })).status, 401, path)
  }
  assert.equal((await registry.send('GET', '/v2/', { authorization })).status, 200)
})

for (const [action, allowed] of [
  ['pull', ['manifest', 'tags']],
  ['push', ['upload']],
  ['delete', ['delete']],
  ['metadata_read', ['tags', 'metadata']],
  ['metadata_write', []],
] as const) {
  test(`with ${action} alone, a token may ${allowed.join(', ') || 'do none of these'}`, async (t) => {
    const registry = await startRegistry(t)
    await pushImage(registry, 'app', 'v1')
    give(registry, 'ci-puller', { scopes: new Map([['app', [action]]]) })
    const authorization = basic('ci-puller', 'one')
    const done: string[] = []
    for (const [what, method, path] of [
      ['manifest', 'GET', '/v2/app/manifests/v1'],
      ['tags', 'GET', '/v2/app/tags/list'],
      ['metadata', 'GET', '/acr/v1/app'],
      ['upload', 'POST', '/v2/app/blobs/uploads/'],
      ['delete', 'DELETE', '/v2/app/manifests/v1'],
    ] as const) {
      const { status } = await registry.send(method, path, { authorization })
      if (status !== 401) done.push(what)
    }
    assert.deepEqual(done, allowed)
  })
}

test('401: a repository outside the scope map looks the same whether it is there or not', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'secret', 'v1')
  give(registry, 'ci-puller')
  const authorization = basic('ci-puller', 'one')
  const [there, missing] = await Promise.all(
    ['secret', 'absent'].map((name) =>
      registry.send('GET', `/v2/${name}/manifests/v1`, { authorization }),
    ),
  )
  const comparable = (answer: typeof there, name: string) => [
    answer?.status,
    answer?.body.toString().replaceAll(name, '…'),
  ]
  assert.deepEqual(comparable(there, 'secret'), comparable(missing, 'absent'))
  assert.equal(there?.status, 401)
})

test('a mount needs to read the source: where it may not, the client is told to upload', async (t) => {
  const registry = await startRegistry(t)
  const { layer } = await pushImage(registry, 'secret', 'v1')
  const mount = async (scopes: TokenFacts['scopes']) => {
    give(registry, 'ci-puller', { scopes })
    const asked = ['repository:app:pull,push', 'repository:secret:pull']
    const bearing = (await bearer(registry, 'one', ...asked)) ?? ''
    const statuses: number[] = []
    for (const authorization of [bearing, basic('ci-puller', 'one')]) {
      const path = `/v2/app/blobs/uploads/?mount=${layer}&from=secret`
      statuses.push((await registry.send('POST', path, { authorization })).status)
    }
    return statuses
  }
  const app = ['pull', 'push']
  const scopesWith = (secret: readonly string[]) =>
    new Map<string, readonly string[]>(Object.entries({ app, secret }))
  assert.deepEqual(await mount(scopesWith([])), [202, 202])
  assert.deepEqual(await mount(scopesWith(['metadata_read', 'push'])), [202, 202])
  assert.deepEqual(await mount(scopesWith(['pull'])), [201, 201])
})

test('401: what was got with a password ends when that password does, and not with the other one', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  give(registry, 'ci-puller')
  const first = await bearer(registry, 'one', 'repository:app:pull')
  const second = await bearer(registry, 'two', 'repository:app:pull')
  const results = async () => [await pull(registry, first), await pull(registry, second)]
  assert.deepEqual(await results(), [200, 200])
  give(registry, 'ci-puller', { passwords: [{ hash: hashOf('new') }, { hash: hashOf('two') }] })
  assert.deepEqual(await results(), [401, 200])
  assert.equal((await ask(registry, 'ci-puller', 'one')).status, 401)
  assert.equal((await ask(registry, 'ci-puller', 'new')).status, 200)
  give(registry, 'ci-puller', { passwords: [{ hash: hashOf('new') }] })
  assert.deepEqual(await results(), [401, 401])
})

test('401: a password has expired, and what was got with it has as well', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const start = registry.now.getTime()
  const soon = { hash: hashOf('one'), expiresAt: start + 5 * MINUTE }
  give(registry, 'ci-puller', { passwords: [soon, { hash: hashOf('two') }] })
  const authorization = await bearer(registry, 'one', 'repository:app:pull')
  registry.now = new Date(start + 5 * MINUTE - 1)
  assert.equal(await pull(registry, authorization), 200)
  assert.equal((await ask(registry, 'ci-puller', 'one')).status, 200)
  registry.now = new Date(start + 5 * MINUTE)
  assert.equal(await pull(registry, authorization), 401)
  assert.equal(await pull(registry, basic('ci-puller', 'one')), 401)
  assert.equal((await ask(registry, 'ci-puller', 'one')).status, 401)
  assert.equal((await ask(registry, 'ci-puller', 'two')).status, 200)
})

test('401: a token is switched off, or gone, and works again once it is switched on', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  give(registry, 'ci-puller')
  const authorization = await bearer(registry, 'one', 'repository:app:pull')
  const results = async () => [
    await pull(registry, authorization),
    (await ask(registry, 'ci-puller', 'one')).status,
  ]
  give(registry, 'ci-puller', { isEnabled: false })
  assert.deepEqual(await results(), [401, 401])
  give(registry, 'ci-puller')
  assert.deepEqual(await results(), [200, 200])
  registry.facts = { ...registry.facts, tokens: new Map() }
  assert.deepEqual(await results(), [401, 401])
  // Another one of the same name, to which the old password never belonged.
  give(registry, 'ci-puller', { passwords: [{ hash: hashOf('three') }] })
  assert.deepEqual(await results(), [401, 401])
})

test('401: a scope map allows less since the token was got, and more only with another one', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  await pushImage(registry, 'other', 'v1')
  give(registry, 'ci-puller')
  const authorization = await bearer(registry, 'one', 'repository:app:pull')
  give(registry, 'ci-puller', { scopes: new Map([['other', ['pull']]]) })
  assert.equal(await pull(registry, authorization), 401)
  assert.equal(await pull(registry, authorization, 'other'), 401)
  const again = await bearer(registry, 'one', 'repository:other:pull')
  assert.equal(await pull(registry, again, 'other'), 200)
})

test("a token may bear the registry's name: each signs in with its own password", async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'secret', 'v1')
  give(registry, ADMIN.user)
  const manifest = '/v2/secret/manifests/v1'
  const as = async (password: string) =>
    (await registry.send('GET', manifest, { authorization: basic(ADMIN.user, password) })).status
  assert.deepEqual([await as(ADMIN.password), await as('one')], [200, 401])
  const asToken = await ask(registry, ADMIN.user, 'one', 'repository:secret:pull')
  assert.equal(asToken.status, 200)
  const { admin: _, ...withoutAdmin } = registry.facts
  registry.facts = withoutAdmin
  assert.deepEqual([await as(ADMIN.password), await as('one')], [401, 401])
  const { status } = await ask(registry, ADMIN.user, 'one')
  assert.equal(status, 200)
})

test("401: the admin's password was regenerated since a token was got with it", async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const answer = await ask(registry, ADMIN.user, ADMIN.password, 'repository:app:pull')
  const authorization = `Bearer ${answer.json().access_token}`
  assert.equal(await pull(registry, authorization), 200)
  const passwordHashes = [hashOf('new'), hashOf('second')]
  registry.facts = { ...registry.facts, admin: { username: ADMIN.user, passwordHashes } }
  assert.equal(await pull(registry, authorization), 401)
  assert.equal(await pull(registry, basic(ADMIN.user, 'new')), 200)
})

test('what an access token says of its password is not its hash, and passwords are in no log', async (t) => {
  const registry = await startRegistry(t)
  give(registry, 'ci-puller')
  const authorization = await bearer(registry, 'one', 'repository:app:pull')
  const claims = JSON.stringify(decodeJwt(authorization?.replace('Bearer ', '') ?? ''))
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    assert.ok(!claims.includes(hashOf('one').toString(encoding).slice(0, 12)), encoding)
  }
  registry.facts = { ...registry.facts, publicAccess: { kind: 'none' } }
  await ask(registry, 'ci-puller', 'open sesame')
  assert.ok(!JSON.stringify(registry.logged).includes('sesame'))
})
