import { ArmError } from '../../arm/arm-error.ts'
import { parseResourceId } from '../../arm/resource-id.ts'

/** Rendered bare, without the `error` envelope, as record sets do. */
export const recordSetError = (
  status: number,
  code: 'BadRequest' | 'Conflict',
  message: string,
): ArmError => new ArmError(status, { code, message })

/** 404 in the words of record sets. */
export function recordNotFound(id: string): ArmError {
  const { name, resourceGroup, subscriptionId } = parseResourceId(id) ?? { name: id }
  return new ArmError(404, {
    code: 'NotFound',
    message:
      `The resource record '${name}' does not exist in resource group '${resourceGroup}' ` +
      `of subscription '${subscriptionId}'.`,
  })
}
