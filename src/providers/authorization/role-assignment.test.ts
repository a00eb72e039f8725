import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createArmForTests, type TestArm } from '../../../test/support/arm.ts'
import { createResourceReader } from '../../arm/resource-reader.ts'
import { createAuthorizationProvider } from './provider.ts'
import { createRoleAssignmentSource } from './role-assignment-source.ts'

const ACR_PULL = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
const ALICE = '00000000-0000-4000-8000-0000000000a1'
const ROLES = 'providers/Microsoft.Authorization/roleDefinitions'
const ASSIGNMENTS = 'providers/Microsoft.Authorization/roleAssignments'

let arm: TestArm
let group: string
before(async () => {
  const principals = { exists: async (id: string) => id === ALICE }
  arm = await createArmForTests({ providers: [createAuthorizationProvider({ principals })] })
  group = await arm.group('Access')
})
after(() => arm.close())

const grant = (roleId = ACR_PULL, principalId = ALICE) => ({
  properties: {
    roleDefinitionId: `${arm.subscription}/${ROLES}/${roleId}`,
    principalId,
    principalType: 'ServicePrincipal',
  },
})

test('a role is given on a group, listed from below, and taken back', async () => {
  const id = `${group}/${ASSIGNMENTS}/${randomUUID()}`
  const created = await arm.put(id, grant())
  assert.equal(created.status, 201)
  assert.equal(created.body.id, id)
  assert.equal(created.body.properties.scope, group)
  assert.equal(created.body.properties.principalId, ALICE)
  // Recorded: an update is answered with 201 as well.
  assert.equal((await arm.put(id, grant())).status, 201)

  const filter = `$filter=atScope() and assignedTo('${ALICE}')`
  const listed = await arm.list(`${group.toLowerCase()}/${ASSIGNMENTS}?${filter}`)
  assert.deepEqual(
    listed.map((each) => each.id),
    [id],
  )
  assert.deepEqual(await arm.list(`${ASSIGNMENTS}?$filter=atScope()`), [])
  assert.equal((await arm.list(ASSIGNMENTS)).length, 1)

  assert.equal((await arm.delete(id)).status, 200)
  assert.equal((await arm.delete(id)).status, 204)
  assert.deepEqual((await arm.get(id)).body.error, {
    code: 'RoleAssignmentNotFound',
    message: `The role assignment '${id.slice(-36)}' is not found.`,
  })
})

test('409: the same role twice for one principal at one scope', async () => {
  const id = () => `${group}/${ASSIGNMENTS}/${randomUUID()}`
  const first = id()
  await arm.put(first, grant())
  const again = await arm.put(id(), grant())
  assert.deepEqual(
    [again.status, again.body.error.code, again.body.error.message],
    [409, 'RoleAssignmentExists', 'The role assignment already exists.'],
  )
  await arm.delete(first)
})

test('400 and 404: an unknown role, principals that are none, a condition', async () => {
  const put = (body: unknown) => arm.put(`${group}/${ASSIGNMENTS}/${randomUUID()}`, body)
  const unknownRole = await put(grant('00000000-0000-4000-8000-00000000dead'))
  assert.deepEqual(
    [unknownRole.status, unknownRole.body.error.code],
    [404, 'RoleDefinitionDoesNotExist'],
  )
  const noGuid = await put(grant(ACR_PULL, 'wow'))
  assert.deepEqual(
    [noGuid.status, noGuid.body.error.message],
    [400, "The Principal ID 'wow' is not valid. Principal ID must be a GUID."],
  )
  const conditional = grant()
  const properties = { ...conditional.properties, condition: '@Resource[a] stringEquals 1' }
  assert.equal((await put({ properties })).body.error.code, 'RoleAssignmentConditionNotSupported')
  const nobody = await put(grant(ACR_PULL, randomUUID()))
  assert.deepEqual([nobody.status, nobody.body.error.code], [400, 'PrincipalNotFound'])
})

test('a role definition is found by its name, from any scope', async () => {
  const [role] = await arm.list(`${group}/${ROLES}?$filter=roleName eq 'acrpull'`)
  assert.equal(role.id, `${arm.subscription}/${ROLES}/${ACR_PULL}`)
  assert.equal(role.properties.roleName, 'AcrPull')
  assert.equal((await arm.get(role.id)).body.name, ACR_PULL)
  assert.equal((await arm.put(role.id, { properties: {} })).status, 405)
  const other = await arm.get(`${ROLES}/${randomUUID()}`)
  assert.equal(other.body.error.code, 'RoleDefinitionDoesNotExist')
})

test('who has which role follows every change, and goes with the group', async () => {
  const shortLived = await arm.group()
  const resources = createResourceReader(arm.database)
  const source = await createRoleAssignmentSource({ resources, feed: arm.feed })
  await arm.put(`${shortLived}/${ASSIGNMENTS}/${randomUUID()}`, grant())
  assert.deepEqual(
    source.assignmentsOf(ALICE.toUpperCase()).map(({ scope }) => scope),
    [shortLived],
  )
  await arm.deleteAndWait(shortLived)
  assert.deepEqual(source.assignmentsOf(ALICE), [])
})
