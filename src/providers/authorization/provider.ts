import type { Provider } from '../../arm/resource-type.ts'
import { createRoleAssignment } from './role-assignment.ts'
import { roleDefinition } from './role-definition.ts'

/** Roles and who has them. `principals` must not wait for the writer of the database: it is asked within a transaction. */
export const createAuthorizationProvider = (options: {
  readonly principals: { exists(objectId: string): Promise<boolean> }
}): Provider => ({
  namespace: 'Microsoft.Authorization',
  registeredByDefault: true,
  types: [createRoleAssignment(options), roleDefinition],
})
