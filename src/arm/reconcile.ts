import type { Unit } from './unit.ts'

const VISITS_MAX = 200

/**
 * Calls `reconcile` of whatever is affected by what was written or removed, until nothing changes any more.
 *
 * @throws Error where types keep undoing each other's work.
 */
export async function reconcileAffected(unit: Unit): Promise<void> {
  const { services, ledger, context } = unit
  const visits = new Map<string, number>()
  for (let key = ledger.nextAffected(); key !== undefined; key = ledger.nextAffected()) {
    const current = await ledger.rows.byKey(key)
    const type = current && services.catalogue.type(current.type)
    if (!current || !type?.reconcile) continue
    const count = (visits.get(key) ?? 0) + 1
    if (count > VISITS_MAX) throw new Error(`${current.id} does not settle`)
    visits.set(key, count)
    const properties = await type.reconcile(current, context)
    const latest = await ledger.rows.byKey(key)
    if (!properties || !latest) continue
    const { id, name, location, tags, top } = latest
    await ledger.store(
      {
        id,
        name,
        type: type.type,
        ...(location !== undefined && { location }),
        ...(tags && { tags }),
        top,
        properties,
      },
      'untouched',
    )
  }
}
