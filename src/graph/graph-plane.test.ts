import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { pino } from 'pino'
import { createApplications } from '../identity/applications.ts'
import { createCredentials } from '../identity/credentials.ts'
import { identityFor, TENANT } from '../identity/identity-for-tests.ts'
import { createGraphPlane } from './graph-plane.ts'

/** A directory with an owner, a manager, who is signed in as `manager`, and a reader. */
async function graphFor(t: { after(hook: () => Promise<void>): void }) {
  const identity = await identityFor(t)
  const { database, clock, principals } = identity
  const [owner, manager, reader] = [
    (await principals.create('owner')).principal,
    (await principals.create('manager')).principal,
    (await principals.create('reader', 'User')).principal,
  ]
  const applications = createApplications({ database, clock })
  const ended: string[] = []
  const app = await createGraphPlane({
    applications,
    credentials: createCredentials({ database, clock }),
    principals,
    authenticate: async ({ headers }) =>
      [manager, reader].find(({ displayName }) => headers.authorization === displayName),
    mayManage: ({ displayName }) => displayName === 'manager',
    removeRoles: async (objectId) => void ended.push(objectId),
    ownerId: owner.objectId,
    tenantId: TENANT,
    clock,
    log: pino({ level: 'silent' }),
  })
  t.after(() => app.close())
  const as =
    (name: string) =>
    async (method: NonNullable<InjectOptions['method']>, path: string, body?: object) => {
      const answer = await app.inject({
        method,
        url: `/v1.0${path}`,
        headers: { authorization: name },
        ...(body && { payload: body }),
      })
      return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() }
    }
  return { ...identity, applications, ended, owner, manager, reader, ask: as('manager'), as, app }
}

test('an application with a service principal and a password can sign in, until the password ends', async (t) => {
  const { ask, principals, pass } = await graphFor(t)
  const made = await ask('POST', '/applications', { displayName: 'ci', keyCredentials: [] })
  assert.equal(made.status, 201)
  const { id, appId } = made.body
  const endDateTime = new Date(Date.now() + 3_600_000).toISOString()
  const added = await ask('POST', `/applications/${id}/addPassword`, {
    passwordCredential: { displayName: 'rbac', endDateTime },
  })
  const { secretText, keyId, hint } = added.body
  assert.ok(secretText.startsWith(hint))
  assert.equal(await principals.authenticate(appId, secretText), undefined)

  const enrolled = await ask('POST', '/servicePrincipals', { appId })
  assert.equal(enrolled.status, 201)
  const signIn = await principals.authenticate(appId, secretText)
  assert.equal(signIn?.principal.objectId, enrolled.body.id)
  const shown = (await ask('GET', `/applications/${id}`)).body.passwordCredentials
  assert.deepEqual([shown.length, shown[0].keyId, shown[0].secretText], [1, keyId, null])

  pass(3601)
  assert.equal(await principals.authenticate(appId, secretText), undefined)
  assert.equal(await principals.byCredential(signIn?.credential ?? ''), undefined)
  assert.equal((await ask('POST', `/applications/${id}/removePassword`, { keyId })).status, 204)
  assert.equal((await ask('POST', `/applications/${id}/removePassword`, { keyId })).status, 400)
})

test('a service principal that comes back is another one, with the passwords of its application', async (t) => {
  const { ask, principals, applications, ended } = await graphFor(t)
  const { secret, principal } = await principals.create('worker')
  assert.equal((await ask('DELETE', `/servicePrincipals/${principal.objectId}`)).status, 204)
  assert.equal(await principals.authenticate(principal.appId, secret), undefined)
  assert.equal(await principals.byName('worker'), undefined)
  assert.deepEqual(ended, [principal.objectId])
  const [kept] = (await ask('GET', "/applications?$filter=displayName eq 'worker'")).body.value
  assert.equal(kept.passwordCredentials.length, 1)

  const back = await ask('POST', '/servicePrincipals', { appId: principal.appId })
  assert.notEqual(back.body.id, principal.objectId)
  assert.ok(await principals.authenticate(principal.appId, secret))
  assert.equal((await ask('DELETE', `/applications/${kept.id}`)).status, 204)
  assert.equal(await principals.byObjectId(back.body.id), undefined)
  assert.equal(
    (await applications.list()).some((one) => one.displayName === 'worker'),
    false,
  )
})

for (const [filter, names] of [
  ["displayName eq 'MANAGER'", ['manager']],
  ["startswith(displayName,'o')", ['owner']],
  ["startswith(displayName,'o') and displayName eq 'x and y'", []],
] as const) {
  test(`service principals by ${filter}`, async (t) => {
    const { ask } = await graphFor(t)
    const { body } = await ask('GET', `/servicePrincipals?$filter=${encodeURIComponent(filter)}`)
    assert.deepEqual(
      body.value.map((each: { displayName: string }) => each.displayName),
      names,
    )
  })
}

test('a service principal is found by its names and by its object id', async (t) => {
  const { ask, manager, reader } = await graphFor(t)
  const filter = `servicePrincipalNames/any(c:c eq '${manager.appId}')`
  const found = await ask('GET', `/servicePrincipals?$filter=${encodeURIComponent(filter)}`)
  assert.equal(found.body.value[0].id, manager.objectId)
  const { body } = await ask('POST', '/directoryObjects/getByIds', {
    ids: [manager.objectId.toUpperCase(), reader.objectId, 'nobody'],
    types: ['user', 'group', 'servicePrincipal'],
  })
  assert.deepEqual(
    body.value.map((each: Record<string, string>) => each['@odata.type']),
    ['#microsoft.graph.servicePrincipal', '#microsoft.graph.user'],
  )
})

test('a person is who they are, and a program is nobody', async (t) => {
  const { as, reader } = await graphFor(t)
  const { body } = await as('reader')('GET', '/me')
  assert.equal(body.id, reader.objectId)
  assert.equal(body.userPrincipalName, 'reader@causeway.onmicrosoft.com')
  assert.equal((await as('reader')('GET', `/users/${body.userPrincipalName}`)).body.id, body.id)
  assert.equal((await as('manager')('GET', '/me')).status, 400)
})

test('401: nobody; 403: who may not manage, and the owner for everybody', async (t) => {
  const { as, ask, applications, owner } = await graphFor(t)
  const nobody = await as('stranger')('GET', '/applications')
  assert.deepEqual([nobody.status, nobody.body.error.code], [401, 'InvalidAuthenticationToken'])
  const read = as('reader')
  assert.equal((await read('GET', '/applications')).status, 200)
  const refused = await read('POST', '/applications', { displayName: 'mine' })
  assert.deepEqual([refused.status, refused.body.error.code], [403, 'Authorization_RequestDenied'])
  const [ownerApp] = (await applications.list()).filter(({ appId }) => appId === owner.appId)
  for (const path of [`/applications/${ownerApp?.id}`, `/servicePrincipals/${owner.objectId}`]) {
    assert.equal((await ask('POST', `${path}/addPassword`, {})).status, 403)
    assert.equal((await ask('DELETE', path)).status, 403)
  }
})

test('400, 404 and 409: what cannot be', async (t) => {
  const { ask, manager } = await graphFor(t)
  const code = async (...request: Parameters<typeof ask>) => {
    const { status, body } = await ask(...request)
    return [status, body.error.code]
  }
  const taken = { displayName: 'Manager' }
  assert.deepEqual(await code('POST', '/applications', taken), [400, 'Request_BadRequest'])
  assert.deepEqual(await code('GET', '/applications?$filter=a gt 1'), [
    400,
    'Request_UnsupportedQuery',
  ])
  assert.deepEqual(await code('GET', '/servicePrincipals/none'), [404, 'Request_ResourceNotFound'])
  assert.deepEqual(await code('GET', '/groups'), [400, 'BadRequest'])
  assert.deepEqual(await code('POST', '/servicePrincipals', { appId: manager.appId }), [
    409,
    'Request_MultipleObjectsWithSameKeyValue',
  ])
  const passwordCredential = { endDateTime: '2001-01-01T00:00:00Z' }
  const path = `/servicePrincipals/${manager.objectId}/addPassword`
  assert.deepEqual(await code('POST', path, { passwordCredential }), [400, 'Request_BadRequest'])
})

test('a federated credential is kept with the keys of its issuer, which are asked for', async (t) => {
  const { ask, applications, manager, keys } = await graphFor(t)
  const [one] = (await applications.list()).filter(({ appId }) => appId === manager.appId)
  const path = `/applications/${one?.id}/federatedIdentityCredentials`
  const said = {
    name: 'ci',
    issuer: 'https://ci.example',
    subject: 'repo:a',
    audiences: ['api://x'],
  }
  assert.equal((await ask('POST', path, said)).status, 400)
  const jwks = { keys: [keys.signing.publicJwk] }
  const made = await ask('POST', path, { ...said, jwks })
  assert.deepEqual([made.status, made.body.subject], [201, 'repo:a'])
  assert.equal((await ask('POST', path, { ...said, jwks })).status, 409)
  assert.equal((await ask('PATCH', `${path}/ci`, { subject: 'repo:b' })).status, 204)
  assert.equal((await ask('GET', `${path}/${made.body.id}`)).body.subject, 'repo:b')
  assert.equal((await ask('DELETE', `${path}/ci`)).status, 204)
  assert.deepEqual((await ask('GET', path)).body.value, [])
})
