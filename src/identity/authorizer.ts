import type { Principal } from './principal.ts'

/** A role assignment as the authorizer needs it; ids in any case. Owned by identity, implemented by providers. */
export interface RoleAssignmentSource {
  assignmentsOf(objectId: string): readonly { readonly scope: string; readonly roleId: string }[]
}

/** What a role grants. Actions may hold `*`; `notActions` take away from this permission's own actions only. */
export interface RolePermission {
  readonly actions: readonly string[]
  readonly notActions: readonly string[]
}

/** The roles that people made, by guid in lower case. The same object is the same role. */
export interface CustomRoleSource {
  permissionsOf(roleId: string): readonly RolePermission[] | undefined
}

/** Decides by role assignments, in memory, without I/O. */
export interface Authorizer {
  /** `action` as `Microsoft.ContainerRegistry/registries/pull/read`, `scope` an ARM id or `/`. */
  isAllowed(principal: Principal, action: string, scope: string): boolean
}
