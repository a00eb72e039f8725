import { checkPreconditions, type Preconditions } from './preconditions.ts'
import type { ResourceId } from './resource-id.ts'
import type { ResourceType } from './resource-type.ts'
import type { Unit } from './unit.ts'

/**
 * Asks the type, then removes the resource and everything below it.
 *
 * @returns whether there was anything.
 * @throws ArmError the type's refusal, or 412.
 */
export async function deleteResource(
  unit: Unit,
  type: ResourceType,
  id: ResourceId,
  preconditions: Preconditions = {},
): Promise<boolean> {
  const { ledger, context } = unit
  const last = await ledger.rows.byKey(id.key)
  if (!last) return false
  checkPreconditions(type, last.name, last, preconditions)
  await type.deprovision?.(last, context)
  await ledger.remove(last.id)
  return true
}
