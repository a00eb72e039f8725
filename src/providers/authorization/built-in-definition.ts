import type { Context, Resource } from '../../arm/resource-type.ts'
import { BUILT_IN_ROLES, type BuiltInRole } from '../../identity/built-in-roles.ts'
import { ROLE_DEFINITION, type RoleDefinitionProperties } from './role-schema.ts'

/** By the guid alone or by the id of the role definition, at any scope. */
export function findBuiltInRole(idOrGuid: string): BuiltInRole | undefined {
  const guid = guidOf(idOrGuid)
  return BUILT_IN_ROLES.find((role) => role.id === guid)
}

/** The guid of a role definition, in lower case, from its id at whatever scope. */
export const guidOf = (idOrGuid: string): string =>
  idOrGuid.slice(idOrGuid.lastIndexOf('/') + 1).toLowerCase()

/** A role definition has one id, whatever the scope it was asked for at. */
export const roleDefinitionId = (guid: string, { settings }: Pick<Context, 'settings'>): string =>
  `/subscriptions/${settings.subscriptionId}/providers/${ROLE_DEFINITION}/${guid}`

/** A built-in role in the form of those that are stored. */
export function asDefinition(
  role: BuiltInRole,
  context: Pick<Context, 'settings'>,
): Resource<RoleDefinitionProperties> {
  const { actions, notActions, dataActions } = role
  return {
    id: roleDefinitionId(role.id, context),
    type: ROLE_DEFINITION,
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
    systemData: NOBODY,
  }
}

// The engine shows none for this type.
const NOBODY = {
  createdBy: '',
  createdByType: 'Application',
  createdAt: '',
  lastModifiedBy: '',
  lastModifiedByType: 'Application',
  lastModifiedAt: '',
} as const
