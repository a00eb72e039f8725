import type { Authorizer, RoleAssignmentSource } from './authorizer.ts'
import { BUILT_IN_ROLES } from './built-in-roles.ts'
import type { Principal } from './principal.ts'
import type { Principals } from './principals.ts'

const OWNER = 'owner'

/** The principal that owns the installation; made at the first start. Its own secret is thrown away: programs get minted ones. */
export async function openOwner(principals: Principals): Promise<Principal> {
  return (await principals.byName(OWNER)) ?? (await principals.create(OWNER)).principal
}

/** The owner's right to everything, which no role assignment can take away: somebody has to be able to give the first one. */
export function ownerAssignment(
  owner: Principal,
  objectId: string,
): ReturnType<RoleAssignmentSource['assignmentsOf']> {
  const role = BUILT_IN_ROLES.find(({ name }) => name === 'Owner')
  return role && objectId === owner.objectId ? [{ scope: '/', roleId: role.id }] : []
}

/**
 * Whether a principal may do everything at a scope, and so may make principals and give them secrets. Who may only
 * assign roles, or everything but that, may not: another's secret would give what the role holds back.
 */
export const isOwnerOf = (scope: string, principal: Principal, authorizer: Authorizer): boolean =>
  ['Microsoft.Authorization/roleAssignments/write', 'Microsoft.Directory/applications/write'].every(
    (action) => authorizer.isAllowed(principal, action, scope),
  )
