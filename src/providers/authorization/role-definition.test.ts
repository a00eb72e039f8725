import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createArmForTests, OWNER, type TestArm } from '../../../test/support/arm.ts'
import { createResourceReader } from '../../arm/resource-reader.ts'
import { createAuthorizer } from '../../identity/create-authorizer.ts'
import type { Principal } from '../../identity/principal.ts'
import { createCustomRoleSource } from './custom-role-source.ts'
import { createAuthorizationProvider } from './provider.ts'

const ROLES = 'providers/Microsoft.Authorization/roleDefinitions'
const ASSIGNMENTS = 'providers/Microsoft.Authorization/roleAssignments'
const ALICE = '00000000-0000-4000-8000-0000000000a1'
// Carol may write role definitions in one group only.
const CAROL: Principal = {
  objectId: '00000000-0000-4000-8000-0000000000c2',
  appId: '00000000-0000-4000-8000-0000000000c3',
  displayName: 'carol',
  kind: 'ServicePrincipal',
}

let arm: TestArm
let group: string
let other: string
before(async () => {
  const principals = { exists: async (id: string) => id === ALICE }
  arm = await createArmForTests({
    providers: [createAuthorizationProvider({ principals })],
    principals: [CAROL],
    authorizer: {
      isAllowed: ({ objectId }, _action, scope) =>
        objectId === OWNER.objectId || scope.toLowerCase().startsWith(group.toLowerCase()),
    },
  })
  group = await arm.group('Makers')
  other = await arm.group('Others')
})
after(() => arm.close())

const role = (roleName: string, scopes: readonly string[], change = {}) => ({
  properties: {
    roleName,
    description: 'Restarts nothing',
    assignableScopes: scopes,
    permissions: [
      {
        actions: ['Microsoft.Network/*', 'Microsoft.ContainerRegistry/registries/pull/read'],
        notActions: ['Microsoft.Network/*/delete'],
      },
    ],
    ...change,
  },
})
const at = (scope: string) => `${scope}/${ROLES}/${randomUUID()}`
const refusal = async (path: string, body: unknown) => {
  const answer = await arm.put(path, body)
  return [answer.status, answer.body.error.code]
}

test('a role made at a group is one role, from every scope', async () => {
  const path = at(group)
  const created = await arm.put(path, role('Operators', [group]))
  assert.equal(created.status, 201, JSON.stringify(created.body))
  const { id, name, properties } = created.body
  assert.equal(id, `${arm.subscription}/${ROLES}/${name}`)
  assert.equal(properties.type, 'CustomRole')
  assert.deepEqual(properties.permissions[0].dataActions, [])
  assert.deepEqual((await arm.get(path)).body, created.body)
  assert.deepEqual((await arm.get(id)).body, created.body)
  const byName = "?$filter=roleName eq 'operators'"
  assert.deepEqual(await arm.list(`${ROLES}${byName}`), [created.body])
  assert.deepEqual(await arm.list(`${other}/${ROLES}${byName}`), [])
  assert.equal((await arm.delete(path)).status, 200)
  assert.equal((await arm.get(id)).body.error.code, 'RoleDefinitionDoesNotExist')
})

test('a role outlives the group in which it could be assigned', async () => {
  const shortLived = await arm.group()
  const { body } = await arm.put(at(shortLived), role('Survivor', [shortLived]))
  await arm.deleteAndWait(shortLived)
  assert.equal((await arm.get(body.id)).status, 200)
  assert.equal((await arm.delete(body.id)).status, 200)
})

test('400 and 409: what is no role', async () => {
  const first = at(group)
  await arm.put(first, role('Taken', [group]))
  assert.deepEqual(await refusal(at(group), role('taken', [group])), [
    409,
    'RoleDefinitionWithSameNameExists',
  ])
  assert.deepEqual(await refusal(at(group), role('Reader', [group])), [
    409,
    'RoleDefinitionWithSameNameExists',
  ])
  for (const [code, scopes, change] of [
    ['InvalidAssignableScope', ['/']],
    ['InvalidAssignableScope', ['/subscriptions/00000000-0000-4000-8000-00000000dead']],
    ['InvalidActionOrNotAction', [group], { permissions: [{ actions: ['do it'] }] }],
    ['MissingRoleDefinitionPermissions', [group], { permissions: [] }],
    ['InvalidRequestContent', []],
  ] as const) {
    assert.deepEqual(await refusal(at(group), role('Wrong', scopes, change)), [400, code])
  }
  assert.deepEqual(await refusal(`${group}/${ROLES}/no-guid`, role('Wrong', [group])), [
    400,
    'InvalidRoleDefinitionId',
  ])
  await arm.delete(first)
})

test('403: a role counts nowhere where its author has no say', async () => {
  const headers = { authorization: `Bearer ${CAROL.objectId}` }
  const mine = at(group)
  assert.equal((await arm.put(mine, role('Mine', [group]), headers)).status, 201)
  const wider = await arm.put(at(group), role('Wider', [group, other]), headers)
  assert.deepEqual([wider.status, wider.body.error.code], [403, 'AuthorizationFailed'])
  const shared = at(group)
  await arm.put(shared, role('Shared', [group, other]))
  // Neither may she take it over by narrowing it.
  assert.equal((await arm.put(shared, role('Shared', [group]), headers)).status, 403)
  assert.equal((await arm.delete(shared, headers)).status, 403)
  assert.equal((await arm.delete(mine, headers)).status, 200)
  await arm.delete(shared)
})

test('400: a role that somebody has stays', async () => {
  const path = at(group)
  const { body } = await arm.put(path, role('Given', [group]))
  const properties = { roleDefinitionId: body.id, principalId: ALICE }
  const assignment = `${group}/${ASSIGNMENTS}/${randomUUID()}`
  assert.equal((await arm.put(assignment, { properties })).status, 201)
  const outside = await arm.put(`${other}/${ASSIGNMENTS}/${randomUUID()}`, { properties })
  assert.deepEqual([outside.status, outside.body.error.code], [404, 'RoleDefinitionDoesNotExist'])
  const kept = await arm.delete(path)
  assert.deepEqual([kept.status, kept.body.error.code], [400, 'RoleDefinitionHasAssignments'])
  await arm.delete(assignment)
  assert.equal((await arm.delete(path)).status, 200)
})

test('405: built-in roles are neither changed nor deleted', async () => {
  const [reader] = await arm.list(`${ROLES}?$filter=roleName eq 'Reader'`)
  assert.equal((await arm.put(reader.id, role('Reader', [group]))).status, 405)
  assert.equal((await arm.delete(reader.id)).status, 405)
})

test('the authorizer follows every change of a role', async () => {
  const customRoles = await createCustomRoleSource({
    resources: createResourceReader(arm.database),
    feed: arm.feed,
  })
  const path = at(group)
  const { body } = await arm.put(path, role('Followed', [group]))
  const authorizer = createAuthorizer({
    customRoles,
    assignments: { assignmentsOf: () => [{ scope: group, roleId: body.id }] },
  })
  const may = (action: string) => authorizer.isAllowed(CAROL, action, `${group}/providers/x/y/z`)
  assert.equal(may('Microsoft.Network/virtualNetworks/write'), true)
  assert.equal(may('Microsoft.Network/virtualNetworks/delete'), false)
  assert.equal(may('Microsoft.ContainerRegistry/registries/push/write'), false)
  const permissions = [{ actions: ['*/push/write'] }]
  await arm.put(path, role('Followed', [group], { permissions }))
  assert.equal(may('Microsoft.Network/virtualNetworks/write'), false)
  assert.equal(may('Microsoft.ContainerRegistry/registries/push/write'), true)
  await arm.delete(path)
  assert.equal(may('Microsoft.ContainerRegistry/registries/push/write'), false)
})
