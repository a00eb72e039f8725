import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BUILT_IN_ROLES } from '../src/identity/built-in-roles.ts'
import { type ArmClient, accepted, createArmClient, refused } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import { importSample, makeGroup, makeNetwork, makeRegistry } from './support/private-registry.ts'
import { failed, succeeded } from './support/run.ts'
import { SECRETS } from './support/secrets.ts'

const PROGRAM = join(import.meta.dirname, 'support/role-program.ts')
const TOKENS = join(import.meta.dirname, 'support/token-program.ts')
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

  const create = (name: string, ...flags: readonly string[]) =>
    createPrincipal(causeway, name, ...flags)
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

  for (const [what, ends] of [
    ['is deleted', ['principal', 'delete', 'is deleted']],
    ['gets a new secret', ['principal', 'reset', 'gets a new secret']],
  ] as const) {
    test(`401: every token of a principal that ${what}, at once`, async () => {
      const { appId, secret = '' } = await create(what, '--role', 'Reader')
      const tokens = (given?: string) =>
        causeway.inPlace(
          internet,
          [process.execPath, TOKENS, 'rolehouse', ...(given === undefined ? [] : [given])],
          { variables: { AZURE_CLIENT_ID: appId, AZURE_CLIENT_SECRET: secret } },
        )
      const given = succeeded(await tokens())
      const used = async () => JSON.parse(succeeded(await tokens(given)))
      assert.deepEqual(await used(), { arm: 200, graph: 200, refresh: 200, access: 200 })
      succeeded(await causeway.command(ends))
      assert.deepEqual(await used(), { arm: 401, graph: 401, refresh: 401, access: 401 })
      assert.match(failed(await tokens()), /AADSTS70/)
    })
  }

  test('401: every token of a program that has ended, in the registry too', async () => {
    await create('program', '--role', 'Reader')
    const tokens = (...given: string[]) =>
      causeway.inPlace(internet, [process.execPath, TOKENS, 'rolehouse', ...given], {
        as: 'program',
      })
    const given = succeeded(await tokens())
    // Of another program: one with the same home would wake the tokens.
    const other = [process.execPath, TOKENS, 'rolehouse', given]
    const used = JSON.parse(succeeded(await causeway.inPlace(internet, other)))
    assert.deepEqual(used, { arm: 401, graph: 401, refresh: 401, access: 401 })
    const again = JSON.parse(succeeded(await tokens(given)))
    assert.deepEqual(again, { arm: 200, graph: 200, refresh: 200, access: 200 })
  })

  test('the log of all this holds no secret and no token', async () => {
    const log = succeeded(await causeway.command(['logs']))
    assert.match(log, /token issued/)
    assert.doesNotMatch(log, SECRETS)
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
