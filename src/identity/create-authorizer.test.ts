import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILT_IN_ROLES } from './built-in-roles.ts'
import { createAuthorizer } from './create-authorizer.ts'

const GROUP = '/subscriptions/S/resourceGroups/RG'
const REGISTRY = `${GROUP}/providers/Microsoft.ContainerRegistry/registries/shop`
const PULL = 'Microsoft.ContainerRegistry/registries/pull/read'
const PUSH = 'Microsoft.ContainerRegistry/registries/push/write'
const ASSIGN = 'Microsoft.Authorization/roleAssignments/write'
const WRITE = 'Microsoft.Network/virtualNetworks/write'

for (const [role, assignedAt, action, scope, allowed] of [
  ['Owner', '/', ASSIGN, REGISTRY, true],
  ['Owner', '/subscriptions/s', PULL, REGISTRY, true],
  ['Owner', GROUP, WRITE, `${GROUP}2/providers/Microsoft.Network/virtualNetworks/v`, false],
  ['Owner', REGISTRY, WRITE, GROUP, false],
  ['Contributor', GROUP, WRITE, GROUP, true],
  ['Contributor', GROUP, ASSIGN, REGISTRY, false],
  ['Contributor', GROUP, 'Microsoft.Authorization/roleAssignments/read', REGISTRY, true],
  ['Reader', GROUP.toUpperCase(), PULL.toUpperCase(), REGISTRY, true],
  ['Reader', GROUP, `${WRITE.slice(0, -6)}/listKeys/action`, REGISTRY, false],
  ['AcrPull', REGISTRY, PULL, REGISTRY, true],
  ['AcrPull', REGISTRY, PUSH, REGISTRY, false],
  ['AcrPull', REGISTRY, PULL, `${REGISTRY}2`, false],
  ['AcrPush', GROUP, PUSH, REGISTRY, true],
  ['AcrDelete', GROUP, PULL, REGISTRY, false],
  ['AcrImageSigner', GROUP, PULL, REGISTRY, false],
  ['User Access Administrator', GROUP, ASSIGN, REGISTRY, true],
  ['User Access Administrator', GROUP, WRITE, GROUP, false],
  ['Network Contributor', GROUP, WRITE, GROUP, true],
  ['Network Contributor', GROUP, ASSIGN, GROUP, false],
  ['Network Contributor', GROUP, PULL, REGISTRY, false],
  ['Private DNS Zone Contributor', GROUP, 'Microsoft.Network/privateDnsZones/A/write', GROUP, true],
  ['Private DNS Zone Contributor', GROUP, WRITE, GROUP, false],
] as const) {
  test(`${role} at ${assignedAt} ${allowed ? 'may' : 'may not'} ${action} at ${scope}`, () => {
    const guid = BUILT_IN_ROLES.find(({ name }) => name === role)?.id.toUpperCase()
    const roleId = `/subscriptions/S/providers/Microsoft.Authorization/roleDefinitions/${guid}`
    const authorizer = createAuthorizer({
      assignments: {
        assignmentsOf: (objectId) => (objectId === 'o' ? [{ scope: assignedAt, roleId }] : []),
      },
    })
    const principal = { appId: 'a', displayName: 'p', kind: 'ServicePrincipal' } as const
    assert.equal(authorizer.isAllowed({ ...principal, objectId: 'o' }, action, scope), allowed)
    assert.equal(authorizer.isAllowed({ ...principal, objectId: 'x' }, action, scope), false)
  })
}
