import { type Kysely, sql, type Transaction } from 'kysely'
import { inBatches } from '../lib/in-batches.ts'
import type { Tables } from './tables.ts'

/** Runs work in a transaction; resolves when it is on disk, and takes back what it wrote when it fails. */
export type InTransaction = <T>(
  work: (transaction: Transaction<Tables>) => Promise<T>,
) => Promise<T>

interface Item {
  readonly work: (transaction: Transaction<Tables>) => Promise<unknown>
  outcome?: { readonly value: unknown } | { readonly error: unknown }
}

/**
 * Transactions that share their commit: each commit waits for the disk, and many small ones at once would queue for it. What
 * comes while one is committed runs in the next, one after the other, each behind a savepoint: a failure is its own alone.
 * When the commit fails, all of them have failed.
 */
export function createSharedTransactions(database: Kysely<Tables>): InTransaction {
  const enter = inBatches<Item>((items) =>
    database.transaction().execute(async (transaction) => {
      const [first] = items
      // Nobody else to be kept from its failure.
      if (first && items.length === 1) first.outcome = { value: await first.work(transaction) }
      else for (const item of items) await attempt(transaction, item)
    }),
  )

  return async <T>(work: (transaction: Transaction<Tables>) => Promise<T>) => {
    const item: Item = { work }
    await enter(item)
    const { outcome } = item
    if (!outcome) throw new Error('a transaction without an outcome')
    if ('error' in outcome) throw outcome.error
    return outcome.value as T
  }
}

/** @throws where not even what it wrote can be taken back: the system has taken back the whole transaction, as on a full disk. */
async function attempt(transaction: Transaction<Tables>, item: Item): Promise<void> {
  await sql`savepoint item`.execute(transaction)
  try {
    item.outcome = { value: await item.work(transaction) }
  } catch (error) {
    item.outcome = { error }
    await sql`rollback to item`.execute(transaction).catch(() => {
      throw error
    })
  }
  await sql`release item`.execute(transaction)
}
