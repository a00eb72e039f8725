import { ArmError } from './arm-error.ts'
import { deleteResource } from './delete-resource.ts'
import { parseResourceId } from './resource-id.ts'
import type { Unit } from './unit.ts'

/**
 * Deletes a group and all it holds, children first. What a type refuses (a subnet in use) is asked again after the
 * others went. A group that is gone already is deleted: the operation may run again after a crash, when somebody may
 * have made another one of the same name.
 *
 * @throws ArmError the last refusal, once nothing gives way any more; nothing is changed then.
 */
export async function deleteGroup(unit: Unit, groupId: string, madeAt: string): Promise<void> {
  const { ledger } = unit
  const id = parseResourceId(groupId)
  const group = id && (await ledger.rows.byKey(id.key))
  if (!group || group.systemData.createdAt !== madeAt) return
  for (let refused = await deleteContent(unit, id.key); refused; ) {
    const next = await deleteContent(unit, id.key)
    if (next && next.count >= refused.count) throw next.error
    refused = next
  }
  await ledger.remove(group.id)
}

/** One pass over all that the group still holds; says what refused to go. */
async function deleteContent(
  unit: Unit,
  groupKey: string,
): Promise<{ readonly count: number; readonly error: ArmError } | undefined> {
  const refusals: ArmError[] = []
  for (const resource of (await unit.ledger.rows.below(groupKey)).toReversed()) {
    const type = unit.services.catalogue.type(resource.type)
    const id = parseResourceId(resource.id)
    // What clients cannot delete goes with what made it.
    if (!type || !id || type.writable === 'never') continue
    try {
      await deleteResource(unit, type, id)
    } catch (error) {
      if (!(error instanceof ArmError)) throw error
      refusals.push(error)
    }
  }
  const last = refusals.at(-1)
  return last && { count: refusals.length, error: last }
}
