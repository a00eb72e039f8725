import type { Authorizer, RoleAssignmentSource } from './authorizer.ts'
import { BUILT_IN_ROLES, type BuiltInRole } from './built-in-roles.ts'

interface CompiledRole {
  readonly allows: (action: string) => boolean
}

const ROLES: ReadonlyMap<string, CompiledRole> = new Map(
  BUILT_IN_ROLES.map((role) => [role.id, compile(role)]),
)

/** An authorizer over the built-in roles. An assignment counts at its scope and at everything within it. */
export function createAuthorizer(options: { assignments: RoleAssignmentSource }): Authorizer {
  return {
    isAllowed(principal, action, scope) {
      return options.assignments
        .assignmentsOf(principal.objectId)
        .some(
          (assignment) =>
            isWithin(scope, assignment.scope) && roleOf(assignment.roleId)?.allows(action) === true,
        )
    },
  }
}

/** `roleId` is the guid alone or the whole id of the role definition. */
const roleOf = (roleId: string): CompiledRole | undefined =>
  ROLES.get(roleId.slice(roleId.lastIndexOf('/') + 1).toLowerCase())

function compile(role: BuiltInRole): CompiledRole {
  const granted = role.actions.map(toPattern)
  const withheld = role.notActions.map(toPattern)
  return {
    allows: (action) =>
      granted.some((pattern) => pattern.test(action)) &&
      !withheld.some((pattern) => pattern.test(action)),
  }
}

// A star stands for any text, slashes included: `*/read` grants reading of every type.
function toPattern(action: string): RegExp {
  return new RegExp(`^${action.split('*').map(RegExp.escape).join('.*')}$`, 'i')
}

function isWithin(scope: string, outer: string): boolean {
  const [inner, bounds] = [scope.toLowerCase(), outer.toLowerCase().replace(/\/+$/, '')]
  return bounds === '' || inner === bounds || inner.startsWith(`${bounds}/`)
}
