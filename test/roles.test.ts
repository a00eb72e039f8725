import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BUILT_IN_ROLES } from '../src/identity/built-in-roles.ts'
import type { CreatedPrincipal } from '../src/operator/contract.ts'
import { type ArmClient, accepted, createArmClient, refused } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { importSample, makeGroup, makeNetwork, makeRegistry } from './support/private-registry.ts'
import { succeeded } from './support/run.ts'

const PROGRAM = join(import.meta.dirname, 'support/role-program.ts')
const PULLING = ['pull', 'list tags', 'read metadata', 'list repositories']
const READING = ['read registry', 'read network', 'read zone', 'read group']
const CONTRIBUTING = [
  ...['read registry', 'write registry', 'list credentials', 'delete registry'],
  ...['read network', 'write network', 'read zone', 'write zone', 'read group'],
]
const DELETING = ['delete manifest', 'delete repository']

describe('what a role allows, on both planes', {
  ...needs('places', 'ip'),
  timeout: 300_000,
}, () => {
  let causeway: Causeway
  let arm: ArmClient
  let group: string

  before(async () => {
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    group = await makeGroup(arm, 'roles')
    await importSample(arm, await makeRegistry(arm, group, 'rolehouse'))
    await makeNetwork(arm, group, 'net')
    const zone = `${group}/providers/Microsoft.Network/privateDnsZones/a.example`
    accepted(await arm.put(zone, { location: 'global' }))
  })
  after(() => causeway?.remove())

  const create = async (name: string, ...flags: string[]): Promise<CreatedPrincipal> =>
    JSON.parse(succeeded(await causeway.command(['principal', 'create', name, ...flags, '--json'])))
  const roleId = (role: string) => {
    const id = BUILT_IN_ROLES.find(({ name }) => name === role)?.id
    return `${arm.subscription}/providers/Microsoft.Authorization/roleDefinitions/${id}`
  }
  const triesAll = async (as: string): Promise<readonly string[]> => {
    const command = [process.execPath, PROGRAM, group, 'rolehouse']
    return JSON.parse(succeeded(await causeway.inPlace(internet, command, { as })))
  }

  for (const [role, allowed] of [
    ['Owner', [...CONTRIBUTING, 'assign role', ...PULLING, 'push', ...DELETING]],
    ['Contributor', [...CONTRIBUTING, ...PULLING, 'push', ...DELETING]],
    // What reads every type also reads images.
    ['Reader', [...READING, ...PULLING]],
    ['User Access Administrator', [...READING, 'assign role', ...PULLING]],
    [
      'Network Contributor',
      ['read network', 'write network', 'read zone', 'write zone', 'read group'],
    ],
    ['Private DNS Zone Contributor', ['read network', 'read zone', 'write zone', 'read group']],
    ['AcrPull', PULLING],
    ['AcrPush', [...PULLING, 'push']],
    ['AcrDelete', DELETING],
    // There is no content trust: what it may sign is nowhere.
    ['AcrImageSigner', []],
  ] as const) {
    test(`${role}: ${allowed.join(', ') || 'nothing'}`, async () => {
      const name = `test ${role}`
      await create(name, '--role', role, '--scope', group)
      assert.deepEqual(await triesAll(name), allowed)
    })
  }

  test('nobody without a role is allowed anything', async () => {
    await create('nobody')
    assert.deepEqual(await triesAll('nobody'), [])
  })

  test('a role holds at its scope and below, and ends when it is taken away', async () => {
    const registry = `${group}/providers/Microsoft.ContainerRegistry/registries/rolehouse`
    const other = await makeGroup(arm, 'rolesother')
    const sibling = await makeRegistry(arm, group, 'rolehouse2')
    for (const [name, scope, allowed] of [
      ['of-subscription', arm.subscription, PULLING],
      ['of-group', group.toUpperCase(), PULLING],
      ['of-registry', registry, PULLING],
      ['of-another-group', other, []],
      ['of-another-registry', sibling.id, []],
    ] as const) {
      const { objectId } = await create(name)
      const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`
      const properties = { roleDefinitionId: roleId('AcrPull'), principalId: objectId }
      accepted(await arm.put(id, { properties }))
      assert.deepEqual(await triesAll(name), allowed, name)
      accepted(await arm.delete(id))
      assert.deepEqual(await triesAll(name), [], name)
    }
  })

  test('data actions of a role open neither plane, and what it takes away is taken from it alone', async () => {
    const definition = async (permission: object) => {
      const guid = randomUUID()
      const id = `${arm.subscription}/providers/Microsoft.Authorization/roleDefinitions/${guid}`
      const properties = {
        roleName: guid,
        type: 'CustomRole',
        permissions: [permission],
        assignableScopes: [arm.subscription],
      }
      accepted(await arm.put(id, { properties }))
      return id
    }
    const assign = async (principalId: string, roleDefinitionId: string) =>
      accepted(
        await arm.put(
          `${group}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`,
          {
            properties: { roleDefinitionId, principalId },
          },
        ),
      )
    const data = await create('data')
    const content = 'Microsoft.ContainerRegistry/registries/repositories/content/read'
    await assign(data.objectId, await definition({ actions: [], dataActions: [content] }))
    assert.deepEqual(await triesAll('data'), [])

    const half = await create('half')
    const at = 'Microsoft.ContainerRegistry/registries'
    await assign(
      half.objectId,
      await definition({
        actions: [`${at}/*`],
        notActions: [`${at}/push/*`, `${at}/write`, `${at}/delete`],
      }),
    )
    const kept = ['read registry', 'list credentials', ...PULLING, ...DELETING]
    assert.deepEqual(await triesAll('half'), kept)
    await assign(half.objectId, roleId('AcrPush'))
    assert.deepEqual(await triesAll('half'), [
      'read registry',
      'list credentials',
      ...PULLING,
      'push',
      ...DELETING,
    ])
  })

  test('403: there are no management groups to give a role on', async () => {
    const { tenantId } = await causeway.status()
    const scope = `/providers/Microsoft.Management/managementGroups/${tenantId}`
    const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`
    const { objectId } = await create('of-management-group')
    refused(
      await arm.put(id, {
        properties: { roleDefinitionId: roleId('AcrPull'), principalId: objectId },
      }),
      403,
      'AuthorizationFailed',
    )
  })
})
