import type { Principal } from '../identity/principal.ts'
import { createMutex } from '../lib/mutex.ts'
import type { ChangeFeed } from '../storage/change-feed.ts'
import { appendChanges } from '../storage/change-rows.ts'
import type { Database } from '../storage/database.ts'
import { resourceRows } from '../storage/resource-rows.ts'
import { type Rows, readContext } from './read-context.ts'
import { reconcileAffected } from './reconcile.ts'
import type { Context, SystemData } from './resource-type.ts'
import type { Services } from './services.ts'
import { createUnit, type Unit } from './unit.ts'

/** How the engine reaches the store. */
export interface Transactions {
  /** Committed rows, one statement at a time. */
  readonly rows: Rows
  /**
   * Runs `work` in one transaction, reconciles what it touched, commits, and returns when everybody who follows the
   * feed has followed. Mutations run one after the other; a throw undoes everything.
   */
  mutate<T>(principal: Principal, work: (unit: Unit) => Promise<T>): Promise<T>
  /** A context that changes nothing. */
  reading(principal: Principal): Context
  /** A context each of whose changes is a transaction of its own: for operations that outlive a request. */
  standalone(principal: Principal, signal: AbortSignal): Context
}

export function createTransactions(
  services: Services,
  database: Database,
  feed: ChangeFeed,
): Transactions {
  const serially = createMutex()
  const rows = resourceRows<SystemData>(database.kysely)

  const mutate: Transactions['mutate'] = (principal, work) =>
    serially(async () => {
      const { result, changes } = await database.kysely.transaction().execute(async (kysely) => {
        const unit = createUnit(services, resourceRows<SystemData>(kysely), principal)
        const done = await work(unit)
        await reconcileAffected(unit)
        const appended = await appendChanges(kysely, unit.ledger.changes(), services.clock.now())
        return { result: done, changes: appended }
      })
      await feed.publish(changes)
      return result
    })

  const contextOver = (
    principal: Principal,
    change: <T>(work: (context: Context) => Promise<T>) => Promise<T>,
  ): Context => {
    const context: Context = {
      ...readContext(services, rows, principal, () => context),
      acceptEndpoint: (target, endpoint) => change((unit) => unit.acceptEndpoint(target, endpoint)),
      put: (id, body) => change((unit) => unit.put(id, body)),
      delete: (id) => change((unit) => unit.delete(id)),
      write: (id, body) => change((unit) => unit.write(id, body)),
      erase: (id) => change((unit) => unit.erase(id)),
    }
    return context
  }

  return {
    rows,
    mutate,
    reading: (principal) =>
      contextOver(principal, () => Promise.reject(new Error('this context changes nothing'))),
    standalone: (principal, signal) => ({
      ...contextOver(principal, (work) => mutate(principal, (unit) => work(unit.context))),
      signal,
    }),
  }
}
