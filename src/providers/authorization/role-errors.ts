import { ArmError } from '../../arm/arm-error.ts'

export const roleDefinitionDoesNotExist = (guid: string): ArmError =>
  new ArmError(404, {
    code: 'RoleDefinitionDoesNotExist',
    message: `The specified role definition with ID '${guid}' does not exist.`,
  })

export const invalidRoleDefinitionId = (name: string): ArmError =>
  new ArmError(400, {
    code: 'InvalidRoleDefinitionId',
    message: `The role definition ID '${name}' is not valid. The role definition ID must be a GUID.`,
  })

export const builtInRoleFixed = (name: string): ArmError =>
  new ArmError(405, {
    code: 'MethodNotAllowed',
    message: `The role '${name}' is built in: it can neither be changed nor deleted.`,
  })

export const sameNameExists = (): ArmError =>
  new ArmError(409, {
    code: 'RoleDefinitionWithSameNameExists',
    message:
      'A custom role with the same name already exists in this directory. Use a different name.',
  })

export const hasAssignments = (): ArmError =>
  new ArmError(400, {
    code: 'RoleDefinitionHasAssignments',
    message: 'There are existing role assignments referencing role.',
  })

export const missingPermissions = (): ArmError =>
  new ArmError(400, {
    code: 'MissingRoleDefinitionPermissions',
    message: 'A role definition has at least one permission, with an action or a data action.',
    target: 'properties.permissions',
  })

export const invalidAction = (action: string): ArmError =>
  new ArmError(400, {
    code: 'InvalidActionOrNotAction',
    message: `'${action}' does not match any of the actions supported by the providers.`,
    target: 'properties.permissions',
  })

export const invalidAssignableScope = (scope: string): ArmError =>
  new ArmError(400, {
    code: 'InvalidAssignableScope',
    message: `The assignable scope '${scope}' is not valid: it must be this subscription or a resource group in it.`,
    target: 'properties.assignableScopes',
  })
