import type {
  CustomRoleSource,
  RoleAssignmentSource,
  RolePermission,
} from '../identity/authorizer.ts'
import type { Mirror } from './mirror.ts'
import { TABLES } from './worker-contract.ts'

interface RoleGrant {
  readonly objectId: string
  readonly scope: string
  readonly roleId: string
}

/** Who has which role, and what roles that people made grant, as the server knows it. */
export function createMirroredRoles(mirror: Mirror): {
  readonly assignments: RoleAssignmentSource
  readonly customRoles: CustomRoleSource
} {
  const grants = mirror.table<RoleGrant>(TABLES.grants)
  const roles = mirror.table<readonly RolePermission[]>(TABLES.roles)
  const group = () => Map.groupBy(grants.values(), ({ objectId }) => objectId.toLowerCase())
  let byPrincipal = group()
  mirror.watch(TABLES.grants, () => {
    byPrincipal = group()
  })
  return {
    assignments: { assignmentsOf: (objectId) => byPrincipal.get(objectId.toLowerCase()) ?? [] },
    customRoles: { permissionsOf: (roleId) => roles.get(roleId.toLowerCase()) },
  }
}
