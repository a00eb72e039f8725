import { isSameId, parseResourceId } from '../../arm/resource-id.ts'
import type { Context, Resource } from '../../arm/resource-type.ts'
import { BUILT_IN_ROLES } from '../../identity/built-in-roles.ts'
import {
  invalidAction,
  invalidAssignableScope,
  invalidRoleDefinitionId,
  missingPermissions,
  sameNameExists,
} from './role-errors.ts'
import { ROLE_DEFINITION, type RoleDefinitionProperties } from './role-schema.ts'

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
// A star alone, or a namespace and at least one further part; parts may hold or be a star.
const ACTION = /^(?:\*|[\w.*-]+(?:\/[\w.$*-]+)+)$/

/** What a custom role must be, apart from who may make it. @throws ArmError */
export async function checkRole(
  next: Resource<RoleDefinitionProperties>,
  context: Context,
): Promise<void> {
  if (!GUID.test(next.name)) throw invalidRoleDefinitionId(next.name)
  const { permissions, assignableScopes, roleName } = next.properties
  const grants = permissions.flatMap(({ actions, dataActions }) => [...actions, ...dataActions])
  if (grants.length === 0) throw missingPermissions()
  for (const { actions, notActions, dataActions, notDataActions } of permissions) {
    const named = [...actions, ...notActions, ...dataActions, ...notDataActions]
    const wrong = named.find((action) => !ACTION.test(action))
    if (wrong !== undefined) throw invalidAction(wrong)
  }
  for (const scope of assignableScopes) {
    if (!isAssignable(scope, context)) throw invalidAssignableScope(scope)
  }
  await requireUniqueName(next.id, roleName, context)
}

/** A subscription or a resource group, as custom roles may name them. */
function isAssignable(scope: string, { settings }: Context): boolean {
  const id = parseResourceId(scope)
  if (!id?.subscriptionId || id.namespace) return false
  return isSameId(id.subscriptionId, settings.subscriptionId)
}

async function requireUniqueName(id: string, roleName: string, context: Context): Promise<void> {
  const others = await context.all<RoleDefinitionProperties>(ROLE_DEFINITION)
  const taken = [
    ...BUILT_IN_ROLES.map(({ name }) => name),
    ...others.filter((other) => !isSameId(other.id, id)).map((other) => other.properties.roleName),
  ]
  if (taken.some((name) => isSameId(name, roleName))) throw sameNameExists()
}
