import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'
import { openTokens } from '../../../test/support/tokens.ts'

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
  ['a number for a time', { expiry: 4102444800 }, 400, /must be a time/],
  ['a list of names', { name: ['password1'] }, 400, /'password1' or 'password2'/],
  ['a number for a token', { tokenId: 5 }, 400, /the id of a token/],
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
