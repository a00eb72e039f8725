import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createArmForTests, OWNER, SUBSCRIPTION, type TestArm } from '../../test/support/arm.ts'
import { widgetsProvider } from '../../test/support/widgets.ts'
import type { RoleAssignmentSource } from '../identity/authorizer.ts'
import { createAuthorizer } from '../identity/create-authorizer.ts'
import { ownerAssignment } from '../identity/owner.ts'
import type { Principal } from '../identity/principal.ts'
import { createAuthorizationProvider } from '../providers/authorization/provider.ts'
import { createRoleAssignmentSource } from '../providers/authorization/role-assignment-source.ts'
import { createResourceReader } from './resource-reader.ts'

const READER_ROLE = 'acdd72a7-3385-48ef-bd42-f606fba81ae7'
const READER: Principal = {
  objectId: '00000000-0000-4000-8000-0000000000b1',
  appId: '00000000-0000-4000-8000-0000000000b2',
  displayName: 'reader',
  kind: 'ServicePrincipal',
}
const STRANGER: Principal = {
  objectId: '00000000-0000-4000-8000-0000000000c1',
  appId: '00000000-0000-4000-8000-0000000000c2',
  displayName: 'stranger',
  kind: 'ServicePrincipal',
}
const asStranger = { authorization: `Bearer ${STRANGER.objectId}` }
const asReader = { authorization: `Bearer ${READER.objectId}` }

let arm: TestArm
before(async () => {
  let source: RoleAssignmentSource = { assignmentsOf: () => [] }
  arm = await createArmForTests({
    providers: [
      widgetsProvider,
      createAuthorizationProvider({ principals: { exists: async () => true } }),
    ],
    principals: [READER, STRANGER],
    registerNothing: true,
    authorizer: createAuthorizer({
      assignments: {
        assignmentsOf: (objectId) => [
          ...ownerAssignment(OWNER, objectId),
          ...source.assignmentsOf(objectId),
        ],
      },
    }),
  })
  const { database, feed } = arm
  source = await createRoleAssignmentSource({ resources: createResourceReader(database), feed })
})
after(() => arm.close())

const assign = (scope: string, { objectId }: Principal, role: string) =>
  arm.put(`${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`, {
    properties: { roleDefinitionId: role, principalId: objectId },
  })

describe('authentication', () => {
  test('401: no token, a wrong one', async () => {
    const none = await arm.get('/subscriptions', { authorization: '' })
    assert.deepEqual([none.status, none.body.error.code], [401, 'InvalidAuthenticationToken'])
    const wrong = await arm.get('/subscriptions', { authorization: 'Bearer wrong' })
    assert.equal(wrong.body.error.code, 'InvalidAuthenticationToken')
    assert.match(
      String(wrong.headers['www-authenticate']),
      /^Bearer authorization_uri="http:\/\/localhost.*\/login\/00000000-[^"]+", error="invalid_token"/,
    )
    const bare = await arm.plane.app.inject({ url: '/subscriptions?api-version=2020-01-01' })
    assert.equal(bare.json().error.code, 'AuthenticationFailed')
  })

  test('400: no api-version', async () => {
    const answer = await arm.plane.app.inject({
      url: '/subscriptions',
      headers: { authorization: 'Bearer owner' },
    })
    assert.deepEqual(
      [answer.statusCode, answer.json().error.code],
      [400, 'MissingApiVersionParameter'],
    )
  })

  test('the cloud describes itself to everybody, in both shapes', async () => {
    const url = '//metadata/endpoints?api-version='
    const list = await arm.plane.app.inject({ url: `${url}2019-05-01` })
    assert.equal(list.json()[0].name, 'Test')
    const legacy = await arm.plane.app.inject({ url: `${url}2015-01-01` })
    assert.match(legacy.json().authentication.loginEndpoint, /login$/)
  })

  test('every answer has request ids', async () => {
    const answer = await arm.get('/tenants', {
      'x-ms-client-request-id': 'abc',
      'x-ms-return-client-request-id': 'true',
    })
    assert.equal(answer.headers['x-ms-client-request-id'], 'abc')
    assert.match(String(answer.headers['x-ms-request-id']), /^[0-9a-f-]{36}$/)
    assert.match(String(answer.headers['x-ms-correlation-request-id']), /^[0-9a-f-]{36}$/)
    assert.equal(answer.body.value[0].tenantId, arm.settings.tenantId)
  })
})

describe('authorization', () => {
  test('a reader reads where the role counts, and nothing else', async () => {
    const own = await arm.group('Readable')
    const other = await arm.group('Hidden')
    assert.deepEqual((await arm.get('/subscriptions', asReader)).body.value, [])
    assert.equal((await arm.get(arm.subscription, asReader)).status, 404)
    await assign(own, READER, READER_ROLE)

    const { value } = (await arm.get('/subscriptions', asReader)).body
    assert.equal(value[0].subscriptionId, SUBSCRIPTION)
    assert.equal((await arm.get(own, asReader)).status, 200)
    const groups = (await arm.get('resourceGroups', asReader)).body.value
    assert.deepEqual(
      groups.map((group: { name: string }) => group.name),
      ['Readable'],
    )
    const hidden = await arm.get(other, asReader)
    assert.deepEqual([hidden.status, hidden.body.error.code], [403, 'AuthorizationFailed'])
    const refused = await arm.put(own, { location: 'westeurope' }, asReader)
    assert.equal(
      refused.body.error.message,
      `The client '${READER.appId}' with object id '${READER.objectId}' does not have authorization to perform action ` +
        `'Microsoft.Resources/subscriptions/resourceGroups/write' over scope '${own}' or the scope is invalid. ` +
        'If access was recently granted, please refresh your credentials.',
    )
    assert.equal((await arm.delete(own, asReader)).status, 403)
  })

  test('a list shows what may be read, and does not tell what else exists', async () => {
    await arm.post('providers/Example.Test/register')
    const [seen, unseen] = [await arm.group('Seen'), await arm.group('Unseen')]
    const there = (group: string) => `${group}/providers/Example.Test/widgets`
    for (const group of [seen, unseen]) {
      for (const name of ['own', 'foreign']) {
        await arm.put(`${there(group)}/${name}`, { location: 'westeurope' })
      }
    }
    const everywhere = `${arm.subscription}/providers/Example.Test/widgets`
    const stranger = await arm.get(everywhere, asStranger)
    assert.deepEqual([stranger.status, stranger.body.error.code], [403, 'AuthorizationFailed'])
    await assign(`${there(seen)}/own`, STRANGER, READER_ROLE)
    for (const path of [everywhere, there(seen)]) {
      const { value } = (await arm.get(path, asStranger)).body
      assert.deepEqual(
        value.map(({ id }: { id: string }) => id),
        [`${there(seen)}/own`],
      )
    }
    for (const path of [there(unseen), there(`${unseen}-that-is-none`), `${there(seen)}/foreign`]) {
      assert.equal((await arm.get(path, asStranger)).status, 403)
    }
    assert.deepEqual((await arm.get('resourceGroups', asStranger)).body.value, [])
    await arm.post('providers/Example.Test/unregister')
  })
})

describe('registration', () => {
  const widgets = () => `${arm.subscription}/resourceGroups/Reg/providers/Example.Test/widgets`

  test('409: a namespace that is not registered; then it is', async () => {
    await arm.group('Reg')
    const refused = await arm.put(`${widgets()}/w`, { location: 'westeurope' })
    const message =
      "The subscription is not registered to use namespace 'Example.Test'. " +
      'See https://aka.ms/rps-not-found for how to register subscriptions.'
    assert.equal(refused.status, 409)
    assert.deepEqual(refused.body.error, {
      code: 'MissingSubscriptionRegistration',
      message,
      details: [{ code: 'MissingSubscriptionRegistration', target: 'Example.Test', message }],
    })
    assert.equal((await arm.get(widgets())).status, 409)

    const before = await arm.get('providers/example.test')
    assert.equal(before.body.registrationState, 'NotRegistered')
    assert.equal((await arm.post('providers/example.test/register')).status, 200)
    const after = await arm.get('providers/Example.Test')
    assert.equal(after.body.registrationState, 'Registered')
    const [widget] = after.body.resourceTypes
    assert.deepEqual(
      [widget.resourceType, widget.apiVersions, widget.locations.includes('West Europe')],
      ['widgets', ['2024-01-01'], true],
    )
    assert.equal((await arm.put(`${widgets()}/w`, { location: 'westeurope' })).status, 201)
    await arm.post('providers/Example.Test/unregister')
    assert.equal((await arm.get(widgets())).status, 409)
    assert.equal((await arm.get(`${widgets()}/w`)).status, 200)
    await arm.post('providers/Example.Test/register')
  })

  test('the generic list finds resources by filter, with times where asked', async () => {
    const own = await arm.group('Filtered')
    const there = `${own}/providers/Example.Test/widgets`
    await arm.put(`${there}/one`, { location: 'westeurope', tags: { Team: 'Blue and white' } })
    await arm.put(`${there}/one/parts/p`, { properties: {} })
    await arm.put(`${there}/two`, { location: 'eastus' })
    const find = async (filter: string, path = `${own}/resources`) => {
      const found = await arm.list(`${path}?$filter=${encodeURIComponent(filter)}`)
      return found.map(({ name }) => name)
    }
    assert.deepEqual(await find("resourceType eq 'example.test/WIDGETS'"), ['one', 'two'])
    assert.deepEqual(await find("resourceGroup eq 'filtered'", 'resources'), ['one', 'two'])
    assert.deepEqual(await find("name eq 'one' and resourceType eq 'Example.Test/widgets'"), [
      'one',
    ])
    assert.deepEqual(await find("tagName eq 'team' and tagValue eq 'blue and white'"), ['one'])
    const [one] = await arm.list(`${own}/resources?$expand=createdTime,provisioningState`)
    assert.match(one.createdTime, /^\d{4}-.*Z$/)
    assert.equal(one.provisioningState, 'Succeeded')
    assert.equal('changedTime' in one, false)
    assert.deepEqual(one.sku, { name: 'Basic', tier: 'Shown' })
    for (const filter of [
      'size gt 3',
      "constructor eq 'x'",
      "tagValue eq 'x'",
      "name eq 'a' and",
    ]) {
      const bad = await arm.get(`resources?$filter=${filter}`)
      assert.deepEqual([bad.status, bad.body.error.code], [400, 'InvalidFilterInQueryString'])
    }
  })

  test('the subscription has regions', async () => {
    const regions = await arm.list('locations')
    const region = regions.find(({ name }) => name === 'koreacentral')
    assert.equal(region.displayName, 'Korea Central')
  })
})
