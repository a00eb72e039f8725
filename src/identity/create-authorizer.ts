import type {
  Authorizer,
  CustomRoleSource,
  RoleAssignmentSource,
  RolePermission,
} from './authorizer.ts'
import { BUILT_IN_ROLES } from './built-in-roles.ts'

type Test = (action: string) => boolean

const BUILT_IN: ReadonlyMap<string, readonly RolePermission[]> = new Map(
  BUILT_IN_ROLES.map((role) => [role.id, [role]]),
)

// Patterns are made once for each role, and go with it.
const compiled = new WeakMap<readonly RolePermission[], Test>()

/**
 * An authorizer over the built-in roles and those that people made. An assignment counts at its scope and at
 * everything within it; assignments add up.
 */
export function createAuthorizer(options: {
  assignments: RoleAssignmentSource
  customRoles?: CustomRoleSource
}): Authorizer {
  const { assignments, customRoles } = options

  /** `roleId` is the guid alone or the whole id of the role definition. */
  function grants(roleId: string, action: string): boolean {
    const guid = roleId.slice(roleId.lastIndexOf('/') + 1).toLowerCase()
    const permissions = BUILT_IN.get(guid) ?? customRoles?.permissionsOf(guid)
    return permissions !== undefined && testOf(permissions)(action)
  }

  return {
    isAllowed: (principal, action, scope) =>
      assignments
        .assignmentsOf(principal.objectId)
        .some(
          (assignment) => isWithin(scope, assignment.scope) && grants(assignment.roleId, action),
        ),
  }
}

function testOf(permissions: readonly RolePermission[]): Test {
  const known = compiled.get(permissions)
  if (known) return known
  const tests = permissions.map(compile)
  const test: Test = (action) => tests.some((allows) => allows(action))
  compiled.set(permissions, test)
  return test
}

function compile(permission: RolePermission): Test {
  const granted = permission.actions.map(toPattern)
  const withheld = permission.notActions.map(toPattern)
  return (action) =>
    granted.some((pattern) => pattern.test(action)) &&
    !withheld.some((pattern) => pattern.test(action))
}

// A star stands for any text, slashes included: `*/read` grants reading of every type.
function toPattern(action: string): RegExp {
  return new RegExp(`^${action.split('*').map(RegExp.escape).join('.*')}$`, 'i')
}

function isWithin(scope: string, outer: string): boolean {
  const [inner, bounds] = [scope.toLowerCase(), outer.toLowerCase().replace(/\/+$/, '')]
  return bounds === '' || inner === bounds || inner.startsWith(`${bounds}/`)
}
