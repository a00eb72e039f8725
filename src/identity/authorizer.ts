import type { Principal } from './principal.ts'

/** A role assignment as the authorizer needs it; ids in any case. Owned by identity, implemented by providers. */
export interface RoleAssignmentSource {
  assignmentsOf(objectId: string): readonly { readonly scope: string; readonly roleId: string }[]
}

/** Decides by role assignments, in memory, without I/O. */
export interface Authorizer {
  /** `action` as `Microsoft.ContainerRegistry/registries/pull/read`, `scope` an ARM id or `/`. */
  isAllowed(principal: Principal, action: string, scope: string): boolean
}
