import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'

const USERNAME = 'https://vault.vault.azure.net/secrets/username'
const PASSWORD = 'https://vault.vault.azure.net/secrets/password'

type Options = Parameters<typeof openRegistries>[1]

async function openSets(t: Parameters<typeof openRegistries>[0], options: Options = {}) {
  const registries = await openRegistries(t, options)
  await registries.createRegistry('caching', {}, 'Basic')
  const path = `${registries.id('caching')}/credentialSets/hubset`
  const put = (properties: Record<string, unknown> = {}, identity: unknown = 'SystemAssigned') =>
    registries.arm.put(path, {
      identity: { type: identity },
      properties: {
        loginServer: 'docker.io',
        authCredentials: [credential()],
        ...properties,
      },
    })
  return { ...registries, path, put }
}

const credential = (change: Record<string, unknown> = {}) => ({
  name: 'Credential1',
  usernameSecretIdentifier: USERNAME,
  passwordSecretIdentifier: PASSWORD,
  ...change,
})

test('a set has an identity, and is healthy where its secrets are known', async (t) => {
  const { arm, path, put } = await openSets(t, { secrets: { [USERNAME]: 'me', [PASSWORD]: 'pw' } })
  const { status, body } = await put()
  assert.equal(status, 201)
  assert.equal(body.identity.type, 'systemAssigned')
  assert.match(body.identity.principalId, /^[0-9a-f-]{36}$/)
  assert.equal(body.identity.tenantId, arm.settings.tenantId)
  assert.deepEqual(body.properties.authCredentials, [
    credential({ credentialHealth: { status: 'Healthy' } }),
  ])
  // The identity stays the same, and nothing of the secrets is shown.
  const again = await put()
  assert.deepEqual(again.body.identity, body.identity)
  assert.doesNotMatch(
    JSON.stringify((await arm.get(path)).body),
    /"me"|"pw"|principalId.*tenantId.*principalId/,
  )
})

test('a set whose secrets are not known tells so, and what to do', async (t) => {
  const { put } = await openSets(t, { secrets: { [USERNAME]: 'me' } })
  const [{ credentialHealth }] = (await put()).body.properties.authCredentials
  assert.equal(credentialHealth.status, 'Unhealthy')
  assert.match(credentialHealth.errorMessage, /secrets\/password.*keyVault\.secretsFile/)
})

test('a secret is named anew by a PATCH', async (t) => {
  const { arm, path, put } = await openSets(t)
  await put()
  const other = 'https://vault.vault.azure.net/secrets/other'
  const { status, body } = await arm.patch(path, {
    properties: { authCredentials: [credential({ passwordSecretIdentifier: other })] },
  })
  assert.equal(status, 200)
  assert.equal(body.properties.authCredentials[0].passwordSecretIdentifier, other)
  assert.equal(body.identity.type, 'systemAssigned')
})

for (const [what, change, identity] of [
  ['no host', { loginServer: 'https://docker.io' }, 'SystemAssigned'],
  ['a host in upper case', { loginServer: 'Docker.io' }, 'SystemAssigned'],
  ['no credentials', { authCredentials: [] }, 'SystemAssigned'],
  [
    'a secret that is none',
    { authCredentials: [credential({ usernameSecretIdentifier: 'me' })] },
    'SystemAssigned',
  ],
  [
    'a secret without https',
    { authCredentials: [credential({ passwordSecretIdentifier: USERNAME.replace('s:', ':') })] },
    'SystemAssigned',
  ],
  ['a second credential', { authCredentials: [credential(), credential()] }, 'SystemAssigned'],
  ['another identity', {}, 'UserAssigned'],
] as const) {
  test(`400: a set with ${what}`, async (t) => {
    const { arm, path, put } = await openSets(t)
    assert.equal((await put(change, identity)).status, 400)
    assert.equal((await arm.get(path)).status, 404)
  })
}

test('409: a set is for one registry', async (t) => {
  const { put } = await openSets(t)
  await put()
  assert.equal((await put({ loginServer: 'quay.io' })).status, 409)
})
