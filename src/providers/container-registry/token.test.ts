import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'

async function openTokens(t: Parameters<typeof openRegistries>[0]) {
  const registries = await openRegistries(t)
  const { arm, id, createRegistry } = registries
  await createRegistry('myregistry', {}, 'Basic')
  const registry = id('myregistry')
  const pull = `${registry}/scopeMaps/_repositories_pull`
  const path = `${registry}/tokens/mytoken`
  return {
    ...registries,
    registry,
    pull,
    path,
    make: (properties: Record<string, unknown> = {}) =>
      arm.put(path, { properties: { scopeMapId: pull, ...properties } }),
    generate: (body: Record<string, unknown> = {}, at = registry) =>
      arm.post(`${at}/generateCredentials`, { tokenId: path, ...body }),
  }
}

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

test('both passwords are generated, shown this once, and known by name from then on', async (t) => {
  const { arm, generate, make, path } = await openTokens(t)
  await make()
  const { status, body } = await generate()
  assert.equal(status, 200)
  assert.equal(body.username, 'mytoken')
  const [first, second] = body.passwords
  assert.deepEqual([first.name, second.name], ['password1', 'password2'])
  assert.match(first.value, /^[A-Za-z0-9+/]{52}$/)
  assert.notEqual(first.value, second.value)
  assert.ok(!Number.isNaN(Date.parse(first.creationTime)))
  assert.equal('expiry' in first, false)
  const shown = await arm.get(path)
  assert.deepEqual(shown.body.properties.credentials, {
    passwords: [
      { creationTime: first.creationTime, name: 'password1' },
      { creationTime: second.creationTime, name: 'password2' },
    ],
  })
})

test('at rest there is only a hash', async (t) => {
  const { arm, generate, make } = await openTokens(t)
  await make()
  const { body } = await generate()
  const rows = await arm.database.kysely.selectFrom('resources').selectAll().execute()
  const stored = JSON.stringify(rows)
  assert.match(stored, /"hash\\*":/)
  for (const { value } of body.passwords) assert.ok(!stored.includes(value))
})

test('one password is generated anew, and the other stays', async (t) => {
  const { arm, generate, make, path } = await openTokens(t)
  await make()
  await generate()
  const passwords = async () => (await arm.get(path)).body.properties.credentials.passwords
  const [before] = await passwords()
  const expiry = '2100-12-31T12:59:59.000Z'
  const { body } = await generate({ name: 'password2', expiry })
  assert.deepEqual(
    body.passwords.map((each: { name: string }) => each.name),
    ['password2'],
  )
  assert.equal(body.passwords[0].expiry, expiry)
  const [first, second] = await passwords()
  assert.deepEqual(first, before)
  assert.deepEqual([second.name, second.expiry], ['password2', expiry])
})

test('the first password may come after the second, and is shown before it', async (t) => {
  const { arm, generate, make, path } = await openTokens(t)
  await make()
  await generate({ name: 'password2' })
  await generate({ name: 'password1' })
  const { body } = await arm.get(path)
  assert.deepEqual(
    body.properties.credentials.passwords.map((each: { name: string }) => each.name),
    ['password1', 'password2'],
  )
})

for (const [given, expected] of [
  ['2100-01-02T03:04:05.678901Z', '2100-01-02T03:04:05.678Z'],
  ['2100-01-02T03:04:05+02:00', '2100-01-02T01:04:05.000Z'],
  ['2100-01-02T03:04', '2100-01-02T03:04:00.000Z'],
] as const) {
  test(`a password expires at ${given}`, async (t) => {
    const { generate, make } = await openTokens(t)
    await make()
    const { body } = await generate({ expiry: given })
    assert.equal(body.passwords[0].expiry, expected)
  })
}

for (const [what, body, status, message] of [
  ['another name', { name: 'password' }, 400, /'password1' or 'password2'/],
  ['a time that is none', { expiry: 'tomorrow' }, 400, /must be a time/],
  ['a day that is none', { expiry: '2100-02-31T99:00:00Z' }, 400, /must be a time/],
  ['a time that has passed', { expiry: '2020-01-01T00:00:00Z' }, 400, /in the future/],
  ['no token', { tokenId: null }, 400, /the id of a token of the registry 'myregistry'/],
  ['a scope map', { tokenId: '@/scopeMaps/_repositories_pull' }, 400, /the id of a token/],
  ['a token that is not there', { tokenId: '@/tokens/nobody' }, 404, /nobody could not be found/],
] as const) {
  test(`${status}: passwords for ${what}, and those of before stay`, async (t) => {
    const { arm, generate, make, path, registry } = await openTokens(t)
    await make()
    await generate()
    const before = (await arm.get(path)).body
    const answer = await generate(JSON.parse(JSON.stringify(body).replaceAll('@', registry)))
    assert.equal(answer.status, status)
    assert.match(answer.body.error.message, message)
    assert.deepEqual((await arm.get(path)).body, before)
  })
}

test('400: passwords for the token of another registry', async (t) => {
  const { createRegistry, generate, id, make } = await openTokens(t)
  await make()
  await createRegistry('otherregistry', {}, 'Basic')
  const { status, body } = await generate({}, id('otherregistry'))
  assert.equal(status, 400)
  assert.match(body.error.message, /of the registry 'otherregistry'/)
})

test('403: passwords need the right to generate credentials', async (t) => {
  const action = 'Microsoft.ContainerRegistry/registries/generateCredentials/action'
  const { arm, createRegistry, id } = await openRegistries(t, {
    refuses: { action, at: 'myregistry' },
  })
  await createRegistry('myregistry')
  const answer = await arm.post(`${id('myregistry')}/generateCredentials`, {})
  assert.deepEqual([answer.status, answer.body.error.code], [403, 'AuthorizationFailed'])
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
