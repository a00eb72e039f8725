import { readOnly } from '../../arm/marks.ts'
import { type Static, Type } from '../../lib/schema.ts'

export const ROLE_DEFINITION = 'Microsoft.Authorization/roleDefinitions'

const actions = Type.Array(Type.String(), { default: [] })
const permission = Type.Object({
  actions,
  notActions: actions,
  dataActions: actions,
  notDataActions: actions,
})

/** What a role definition says; dates and authors only of those that people made. */
export const roleProperties = Type.Object({
  roleName: Type.String({ minLength: 1, maxLength: 512 }),
  description: Type.Optional(Type.String({ maxLength: 2048 })),
  assignableScopes: Type.Array(Type.String(), { minItems: 1 }),
  permissions: Type.Array(permission),
  type: readOnly(Type.Enum(['BuiltInRole', 'CustomRole'])),
  createdOn: readOnly(Type.Optional(Type.String())),
  updatedOn: readOnly(Type.Optional(Type.String())),
  createdBy: readOnly(Type.Optional(Type.String())),
  updatedBy: readOnly(Type.Optional(Type.String())),
})

export type RoleDefinitionProperties = Static<typeof roleProperties>
