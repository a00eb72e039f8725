import { ArmError } from '../../arm/arm-error.ts'

/** A refusal in the network service's own form: 400 with empty details. */
export const networkError = (code: string, message: string): ArmError =>
  new ArmError(400, { code, message, details: [] })

export const invalidResourceReference = (referenced: string, by: string): ArmError =>
  networkError(
    'InvalidResourceReference',
    `Resource ${referenced} referenced by resource ${by} was not found. Please make sure that the referenced ` +
      'resource exists, and that both resources are in the same region.',
  )

/**
 * Refuses a list with the same name twice.
 *
 * @throws ArmError 400 InvalidRequestFormat
 */
export function requireDistinctNames(
  id: string,
  items: readonly { readonly name: string }[],
): void {
  const seen = new Set<string>()
  for (const { name } of items) {
    if (seen.has(name.toLowerCase())) throw duplicateName(id, name)
    seen.add(name.toLowerCase())
  }
}

const duplicateName = (id: string, name: string): ArmError =>
  new ArmError(400, {
    code: 'InvalidRequestFormat',
    message: 'Cannot parse the request.',
    details: [
      {
        code: 'DuplicateResourceName',
        message: `Resource ${id} has two child resources with the same name (${name}).`,
      },
    ],
  })
