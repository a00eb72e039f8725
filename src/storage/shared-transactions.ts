import { type Kysely, sql, type Transaction } from 'kysely'
import { inBatches } from '../lib/in-batches.ts'
import type { Tables } from './tables.ts'

/** Runs work in a transaction; resolves when it is on disk, and takes back what it wrote when it fails. */
export type InTransaction = <T>(
  work: (transaction: Transaction<Tables>) => Promise<T>,
) => Promise<T>

type Work = (transaction: Transaction<Tables>) => Promise<unknown>
type Outcome = { readonly value: unknown } | { readonly error: unknown }

/**
 * Transactions that share their commit: each commit waits for the disk, and many small ones at once would queue for it. What
 * comes while one is committed runs in the next, one after the other, each behind a savepoint: a failure is its own alone.
 * When the commit fails, all of them have failed.
 */
export function createSharedTransactions(database: Kysely<Tables>): InTransaction {
  const enter = inBatches<Work, Outcome>((works) =>
    database.transaction().execute(async (transaction) => {
      const [first] = works
      // Nobody else to be kept from its failure.
      if (first && works.length === 1) return [{ value: await first(transaction) }]
      const outcomes: Outcome[] = []
      for (const work of works) outcomes.push(await attempt(transaction, work))
      return outcomes
    }),
  )

  return async <T>(work: (transaction: Transaction<Tables>) => Promise<T>) => {
    const outcome = await enter(work)
    if ('error' in outcome) throw outcome.error
    return outcome.value as T
  }
}

/** @throws where not even what it wrote can be taken back: the system has taken back the whole transaction, as on a full disk. */
async function attempt(transaction: Transaction<Tables>, work: Work): Promise<Outcome> {
  await sql`savepoint item`.execute(transaction)
  const outcome = await outcomeOf(transaction, work)
  await sql`release item`.execute(transaction)
  return outcome
}

async function outcomeOf(transaction: Transaction<Tables>, work: Work): Promise<Outcome> {
  try {
    return { value: await work(transaction) }
  } catch (error) {
    await sql`rollback to item`.execute(transaction).catch(() => {
      throw error
    })
    return { error }
  }
}
