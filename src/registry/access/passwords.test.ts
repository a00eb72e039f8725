import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { ADMIN, basic, pushImage, startRegistry } from '../testing/registry-fixture.ts'
import { askAs, bearerOf, giveToken, hashOf, pullStatus } from '../testing/token-fixture.ts'

const MINUTE = 60 * 1000

test('a token signs in with either password, in any case of its name, in every way Docker does', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  giveToken(registry, 'ci-puller')
  for (const [user, password] of [
    ['ci-puller', 'one'],
    ['CI-Puller', 'two'],
  ] as const) {
    const answer = await askAs(registry, [user, password], 'repository:app:pull')
    assert.equal(answer.status, 200)
    assert.equal(await pullStatus(registry, `Bearer ${answer.json().access_token}`), 200)
    assert.equal(await pullStatus(registry, basic(user, password)), 200)
    const form = { grant_type: 'password', username: user, password, scope: 'repository:app:pull' }
    const posted = await registry.send('POST', '/oauth2/token', {
      authorization: '',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    })
    assert.equal(await pullStatus(registry, `Bearer ${posted.json().access_token}`), 200)
  }
})

test('401: a wrong password, that of another token, and a token that is not there', async (t) => {
  const registry = await startRegistry(t)
  giveToken(registry, 'ci-puller')
  giveToken(registry, 'other', { passwords: [{ hash: hashOf('three') }] })
  giveToken(registry, 'without', { passwords: [] })
  for (const [user, password] of [
    ['ci-puller', 'three'],
    ['ci-puller', ''],
    ['ci-puller', ADMIN.password],
    ['without', ''],
    ['nobody', 'one'],
  ] as const) {
    const answer = await askAs(registry, [user, password])
    assert.deepEqual([answer.status, answer.code], [401, 'UNAUTHORIZED'], `${user}:${password}`)
    assert.equal(await pullStatus(registry, basic(user, password)), 401)
  }
})

test('401: what was got with a password ends when that password does, and not with the other one', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  giveToken(registry, 'ci-puller')
  const first = await bearerOf(registry, ['ci-puller', 'one'], 'repository:app:pull')
  const second = await bearerOf(registry, ['ci-puller', 'two'], 'repository:app:pull')
  const results = async () => [
    await pullStatus(registry, first),
    await pullStatus(registry, second),
  ]
  assert.deepEqual(await results(), [200, 200])
  giveToken(registry, 'ci-puller', {
    passwords: [{ hash: hashOf('new') }, { hash: hashOf('two') }],
  })
  assert.deepEqual(await results(), [401, 200])
  assert.equal((await askAs(registry, ['ci-puller', 'one'])).status, 401)
  assert.equal((await askAs(registry, ['ci-puller', 'new'])).status, 200)
  giveToken(registry, 'ci-puller', { passwords: [{ hash: hashOf('new') }] })
  assert.deepEqual(await results(), [401, 401])
})

test('401: a password has expired, and what was got with it has as well', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const start = registry.now.getTime()
  const soon = { hash: hashOf('one'), expiresAt: start + 5 * MINUTE }
  giveToken(registry, 'ci-puller', { passwords: [soon, { hash: hashOf('two') }] })
  const authorization = await bearerOf(registry, ['ci-puller', 'one'], 'repository:app:pull')
  registry.now = new Date(start + 5 * MINUTE - 1)
  assert.equal(await pullStatus(registry, authorization), 200)
  assert.equal((await askAs(registry, ['ci-puller', 'one'])).status, 200)
  registry.now = new Date(start + 5 * MINUTE)
  assert.equal(await pullStatus(registry, authorization), 401)
  assert.equal(await pullStatus(registry, basic('ci-puller', 'one')), 401)
  assert.equal((await askAs(registry, ['ci-puller', 'one'])).status, 401)
  assert.equal((await askAs(registry, ['ci-puller', 'two'])).status, 200)
})

test('401: a token is switched off, or gone, and works again once it is switched on', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  giveToken(registry, 'ci-puller')
  const authorization = await bearerOf(registry, ['ci-puller', 'one'], 'repository:app:pull')
  const results = async () => [
    await pullStatus(registry, authorization),
    (await askAs(registry, ['ci-puller', 'one'])).status,
  ]
  giveToken(registry, 'ci-puller', { isEnabled: false })
  assert.deepEqual(await results(), [401, 401])
  giveToken(registry, 'ci-puller')
  assert.deepEqual(await results(), [200, 200])
  registry.facts = { ...registry.facts, tokens: new Map() }
  assert.deepEqual(await results(), [401, 401])
  // Another one of the same name, to which the old password never belonged.
  giveToken(registry, 'ci-puller', { passwords: [{ hash: hashOf('three') }] })
  assert.deepEqual(await results(), [401, 401])
})

test("a token may bear the registry's name: each signs in with its own password", async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'secret', 'v1')
  giveToken(registry, ADMIN.user)
  const manifest = '/v2/secret/manifests/v1'
  const as = async (password: string) =>
    (await registry.send('GET', manifest, { authorization: basic(ADMIN.user, password) })).status
  assert.deepEqual([await as(ADMIN.password), await as('one')], [200, 401])
  const asToken = await askAs(registry, [ADMIN.user, 'one'], 'repository:secret:pull')
  assert.equal(asToken.status, 200)
  const { admin: _, ...withoutAdmin } = registry.facts
  registry.facts = withoutAdmin
  assert.deepEqual([await as(ADMIN.password), await as('one')], [401, 401])
  const { status } = await askAs(registry, [ADMIN.user, 'one'])
  assert.equal(status, 200)
})

test("401: the admin's password was regenerated since a token was got with it", async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const answer = await askAs(registry, [ADMIN.user, ADMIN.password], 'repository:app:pull')
  const authorization = `Bearer ${answer.json().access_token}`
  assert.equal(await pullStatus(registry, authorization), 200)
  const passwordHashes = [hashOf('new'), hashOf('second')]
  registry.facts = { ...registry.facts, admin: { username: ADMIN.user, passwordHashes } }
  assert.equal(await pullStatus(registry, authorization), 401)
  assert.equal(await pullStatus(registry, basic(ADMIN.user, 'new')), 200)
})

test('what an access token says of its password is not its hash, and passwords are in no log', async (t) => {
  const registry = await startRegistry(t)
  giveToken(registry, 'ci-puller')
  const authorization = await bearerOf(registry, ['ci-puller', 'one'], 'repository:app:pull')
  const claims = JSON.stringify(decodeJwt(authorization.replace('Bearer ', '')))
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    assert.ok(!claims.includes(hashOf('one').toString(encoding).slice(0, 12)), encoding)
  }
  registry.facts = { ...registry.facts, publicAccess: { kind: 'none' } }
  await askAs(registry, ['ci-puller', 'open sesame'])
  assert.ok(!JSON.stringify(registry.logged).includes('sesame'))
})
