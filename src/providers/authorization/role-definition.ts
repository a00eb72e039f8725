import Type from 'typebox'
import { ArmError } from '../../arm/arm-error.ts'
import { readOnly } from '../../arm/marks.ts'
import { parseResourceId } from '../../arm/resource-id.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { BUILT_IN_ROLES, type BuiltInRole } from '../../identity/built-in-roles.ts'
import { parseTerms, unsupportedFilter } from './filter.ts'

const permission = Type.Object({
  actions: Type.Array(Type.String()),
  notActions: Type.Array(Type.String()),
  dataActions: Type.Array(Type.String()),
  notDataActions: Type.Array(Type.String()),
})

/** The roles that there are; they come with the product and cannot be changed. */
export const roleDefinition = defineResourceType({
  type: 'Microsoft.Authorization/roleDefinitions',
  apiVersions: ['2022-04-01', '2018-01-01-preview', '2015-07-01'],
  location: 'none',
  extension: true,
  writable: 'never',
  etag: 'none',
  properties: Type.Object({
    roleName: readOnly(Type.String()),
    type: readOnly(Type.String()),
    description: readOnly(Type.String()),
    assignableScopes: readOnly(Type.Array(Type.String())),
    permissions: readOnly(Type.Array(permission)),
  }),

  async find(id, context) {
    const role = findBuiltInRole(id)
    return role && asResource(role, context)
  },

  async list(_scope, filter, context) {
    const passes = parseFilter(filter)
    return BUILT_IN_ROLES.filter(passes).map((role) => asResource(role, context))
  },

  notFound: (id) => roleDefinitionDoesNotExist(parseResourceId(id)?.name ?? id),
})

/** By the guid alone or by the id of the role definition, at any scope. */
export function findBuiltInRole(idOrGuid: string): BuiltInRole | undefined {
  const guid = idOrGuid.slice(idOrGuid.lastIndexOf('/') + 1).toLowerCase()
  return BUILT_IN_ROLES.find((role) => role.id === guid)
}

export const roleDefinitionDoesNotExist = (guid: string): ArmError =>
  new ArmError(404, {
    code: 'RoleDefinitionDoesNotExist',
    message: `The specified role definition with ID '${guid}' does not exist.`,
  })

export const roleDefinitionId = (guid: string, context: Context): string =>
  `/subscriptions/${context.settings.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${guid}`

function asResource(role: BuiltInRole, context: Context) {
  const { actions, notActions, dataActions } = role
  return {
    id: roleDefinitionId(role.id, context),
    type: 'Microsoft.Authorization/roleDefinitions',
    name: role.id,
    top: {},
    properties: {
      roleName: role.name,
      type: 'BuiltInRole',
      description: role.description,
      assignableScopes: ['/'],
      permissions: [
        {
          actions: [...actions],
          notActions: [...notActions],
          dataActions: [...dataActions],
          notDataActions: [],
        },
      ],
    },
    etag: '',
    systemData: BUILT_IN,
  } satisfies Resource
}

// The engine shows none for this type.
const BUILT_IN = {
  createdBy: '',
  createdByType: 'Application',
  createdAt: '',
  lastModifiedBy: '',
  lastModifiedByType: 'Application',
  lastModifiedAt: '',
} as const

function parseFilter(filter: string | undefined): (role: BuiltInRole) => boolean {
  const tests = parseTerms(filter).map((term) => {
    if (term.call === 'atscope' || term.call === 'atscopeandbelow') return () => true
    const value = term.value?.toLowerCase()
    if (term.field === 'rolename') return (role: BuiltInRole) => role.name.toLowerCase() === value
    if (term.field === 'type') return () => value === 'builtinrole'
    throw unsupportedFilter(filter)
  })
  return (role) => tests.every((test) => test(role))
}
