import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTokens } from '../../../test/support/tokens.ts'

test('a token is enabled and has no passwords, until it is told otherwise', async (t) => {
  const { arm, make, path, pull } = await openTokens(t)
  const { status, body } = await make()
  assert.equal(status, 201)
  const { creationDate, ...rest } = body.properties
  assert.ok(!Number.isNaN(Date.parse(creationDate)))
  assert.deepEqual(rest, {
    provisioningState: 'Succeeded',
    scopeMapId: pull,
    credentials: { passwords: [] },
    status: 'enabled',
  })
  const off = await arm.patch(path, { properties: { status: 'disabled' } })
  assert.deepEqual(off.body.properties, { ...body.properties, status: 'disabled' })
})

test('its scope map is shown in its own case', async (t) => {
  const { make, pull } = await openTokens(t)
  const { body } = await make({ scopeMapId: pull.toUpperCase() })
  assert.equal(body.properties.scopeMapId, pull)
})

for (const [what, properties, message] of [
  ['no scope map', { scopeMapId: null }, /scopeMapId/],
  ['a scope map that is not there', { scopeMapId: '@/scopeMaps/nothing' }, /could not be found/],
  ['what is no scope map', { scopeMapId: '@/tokens/mytoken' }, /not the id of a scope map/],
  ['what is no id', { scopeMapId: 'mymap' }, /not the id of a scope map/],
  ['another state', { status: 'paused' }, /status/],
  [
    'certificates',
    { credentials: { certificates: [{ name: 'certificate1' }] } },
    /certificates are not available here/,
  ],
  [
    'a password of the client',
    { credentials: { passwords: [{ name: 'password1', value: 'mine' }] } },
    /there is no password1; generateCredentials makes it/,
  ],
  ['credentials that are none', { credentials: 'mine' }, /credentials/],
  ['passwords that are no list', { credentials: { passwords: {} } }, /passwords/],
  ['a third password', { credentials: { passwords: [{ name: 'password3' }] } }, /passwords/],
] as const) {
  test(`400: a token with ${what}, and nothing is made`, async (t) => {
    const { arm, make, path, registry } = await openTokens(t)
    const given = JSON.parse(JSON.stringify(properties).replaceAll('@', registry))
    const { status, body } = await make(given)
    assert.equal(status, 400)
    assert.match(body.error.message, message)
    assert.equal((await arm.get(path)).status, 404)
  })
}

test('400: a scope map of another registry', async (t) => {
  const { createRegistry, id, make } = await openTokens(t)
  await createRegistry('otherregistry', {}, 'Basic')
  const scopeMapId = `${id('otherregistry')}/scopeMaps/_repositories_pull`
  const { status, body } = await make({ scopeMapId })
  assert.equal(status, 400)
  assert.match(body.error.message, /lies in another registry/)
})

for (const name of ['four', 'my_token', 'a'.repeat(51), '00000000-0000-0000-0000-000000000000']) {
  test(`400: a token called ${name}`, async (t) => {
    const { arm, pull, registry } = await openTokens(t)
    const path = `${registry}/tokens/${name}`
    assert.equal((await arm.put(path, { properties: { scopeMapId: pull } })).status, 400)
    assert.equal((await arm.get(path)).status, 404)
  })
}

test('400: a tier has room for so many tokens; usages count them', async (t) => {
  const { arm, pull, registry } = await openTokens(t)
  for (let made = 0; made < 100; made++) {
    const path = `${registry}/tokens/token-${made}`
    assert.equal((await arm.put(path, { properties: { scopeMapId: pull } })).status, 201)
  }
  const { status, body } = await arm.put(`${registry}/tokens/toomany`, {
    properties: { scopeMapId: pull },
  })
  assert.deepEqual([status, body.error.code], [400, 'QuotaExceeded'])
  const usages = await arm.get(`${registry}/listUsages`)
  const usage = usages.body.value.find((each: { name: string }) => each.name === 'Tokens')
  assert.deepEqual([usage.limit, usage.currentValue], [100, 100])
})

test('passwords outlive a PUT, a PATCH of something else, and a PUT of what was read', async (t) => {
  const { arm, generate, make, path } = await openTokens(t)
  await make()
  await generate({ expiry: '2100-12-31T12:59:59+00:00' })
  const { credentials } = (await arm.get(path)).body.properties
  assert.equal(credentials.passwords.length, 2)
  await make()
  await arm.patch(path, { properties: { status: 'disabled' } })
  await arm.put(path, (await arm.get(path)).body)
  assert.deepEqual((await arm.get(path)).body.properties.credentials, credentials)
})

test('a PATCH that names one password deletes the other; one that names none deletes both', async (t) => {
  const { arm, generate, make, path } = await openTokens(t)
  await make()
  await generate()
  const keep = async (...names: readonly string[]) => {
    const passwords = names.map((name) => ({ name }))
    const { body } = await arm.patch(path, { properties: { credentials: { passwords } } })
    return body.properties.credentials.passwords.map((each: { name: string }) => each.name)
  }
  assert.deepEqual(await keep('password2'), ['password2'])
  assert.deepEqual(await keep(), [])
})

test('400: a PATCH does not move the expiry of a password', async (t) => {
  const { arm, generate, make, path } = await openTokens(t)
  await make()
  await generate()
  const passwords = [{ name: 'password1', expiry: '2100-01-01T00:00:00Z' }]
  const { status, body } = await arm.patch(path, { properties: { credentials: { passwords } } })
  assert.equal(status, 400)
  assert.match(body.error.message, /expiry of password1 is set when generateCredentials makes it/)
  assert.equal((await arm.get(path)).body.properties.credentials.passwords.length, 2)
})

test('what a client says of hashes is not heard', async (t) => {
  const { arm, make, path } = await openTokens(t)
  const kept = { name: 'password1', creationTime: '2020-01-01T00:00:00Z', hash: '00' }
  await make({ keptPasswords: [kept] })
  const { body } = await arm.get(path)
  assert.deepEqual(body.properties.credentials, { passwords: [] })
  assert.equal('keptPasswords' in body.properties, false)
})
