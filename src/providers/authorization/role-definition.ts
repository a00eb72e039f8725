import { authorizationFailed } from '../../arm/gateway-errors.ts'
import { isSameId, isWithin, parseResourceId } from '../../arm/resource-id.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { BUILT_IN_ROLES } from '../../identity/built-in-roles.ts'
import { asDefinition, findBuiltInRole, guidOf, roleDefinitionId } from './built-in-definition.ts'
import { parseTerms, unsupportedFilter } from './filter.ts'
import { checkRole } from './role-checks.ts'
import { builtInRoleFixed, hasAssignments, roleDefinitionDoesNotExist } from './role-errors.ts'
import { ROLE_DEFINITION, type RoleDefinitionProperties, roleProperties } from './role-schema.ts'

type Definition = Resource<RoleDefinitionProperties>

/** What roles grant: those that come with the product, which nobody can change, and those that people made. */
export const roleDefinition = defineResourceType({
  type: ROLE_DEFINITION,
  apiVersions: ['2022-04-01', '2018-01-01-preview', '2015-07-01'],
  location: 'none',
  extension: true,
  etag: 'none',
  replacedStatus: 201,
  properties: roleProperties,

  home(id, settings) {
    const builtIn = findBuiltInRole(id.name)
    if (builtIn) throw builtInRoleFixed(builtIn.name)
    return roleDefinitionId(guidOf(id.name), { settings })
  },

  async validate(next, previous, context) {
    await checkRole(next, context)
    for (const scope of assignableScopes(next, previous)) requireRight('write', scope, context)
  },

  provision(next, context, previous) {
    const now = context.now.toISOString()
    const by = context.principal.objectId
    const isSame = previous !== undefined && saysTheSame(next, previous)
    return {
      type: 'CustomRole' as const,
      assignableScopes: next.properties.assignableScopes.map((scope) => scope.replace(/\/+$/, '')),
      createdOn: previous?.properties.createdOn ?? now,
      createdBy: previous?.properties.createdBy ?? by,
      ...(!isSame && { updatedOn: now, updatedBy: by }),
    }
  },

  async deprovision(last, context) {
    for (const scope of assignableScopes(last)) requireRight('delete', scope, context)
    const assignments = await context.all<{ roleDefinitionId: string }>(
      'Microsoft.Authorization/roleAssignments',
    )
    const isUsed = assignments.some((each) => isSameId(each.properties.roleDefinitionId, last.id))
    if (isUsed) throw hasAssignments()
  },

  find: (id, context) => findDefinition(id, context),

  async list(scope, filter, context) {
    const builtIn = BUILT_IN_ROLES.map((role) => asDefinition(role, context))
    const all = [...builtIn, ...(await context.all<RoleDefinitionProperties>(ROLE_DEFINITION))]
    const passes = parseFilter(filter)
    // Recorded: a subscription's list holds the roles that can be assigned somewhere within it as well.
    return all.filter(
      (role) =>
        role.properties.assignableScopes.some(
          (each) => isWithin(scope, each) || isWithin(each, scope),
        ) && passes(role),
    )
  },

  notFound: (id) => roleDefinitionDoesNotExist(parseResourceId(id)?.name ?? id),
})

/** A role definition by its guid or by its id at any scope. */
export async function findDefinition(
  idOrGuid: string,
  context: Context,
): Promise<Definition | undefined> {
  const builtIn = findBuiltInRole(idOrGuid)
  if (builtIn) return asDefinition(builtIn, context)
  const guid = guidOf(idOrGuid)
  const custom = await context.all<RoleDefinitionProperties>(ROLE_DEFINITION)
  return custom.find(({ name }) => isSameId(name, guid))
}

/** Those of before count too: a role that others use is not taken over by narrowing it. */
const assignableScopes = (...definitions: readonly (Definition | undefined)[]): Set<string> =>
  new Set(definitions.flatMap((each) => each?.properties.assignableScopes ?? []))

function requireRight(verb: 'write' | 'delete', scope: string, context: Context): void {
  const action = `${ROLE_DEFINITION}/${verb}`
  if (!context.isAllowed(action, scope)) throw authorizationFailed(context.principal, action, scope)
}

function saysTheSame(one: Definition, other: Definition): boolean {
  const [a, b] = [one, other].map(({ properties: said }) => [
    said.roleName,
    said.description,
    said.assignableScopes,
    said.permissions,
  ])
  return JSON.stringify(a) === JSON.stringify(b)
}

function parseFilter(filter: string | undefined): (role: Definition) => boolean {
  const tests = parseTerms(filter).map((term) => {
    if (term.call === 'atscope' || term.call === 'atscopeandbelow') return () => true
    const value = term.value?.toLowerCase()
    const { field } = term
    if (field === 'rolename' || field === 'type') {
      const member = field === 'type' ? 'type' : 'roleName'
      return (role: Definition) => role.properties[member].toLowerCase() === value
    }
    throw unsupportedFilter(filter)
  })
  return (role) => tests.every((test) => test(role))
}
