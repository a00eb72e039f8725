import type { Kysely } from 'kysely'
import type { Change } from './change-feed.ts'
import type { Tables } from './tables.ts'

/** Stores changes in the transaction that makes them, and numbers them. */
export async function appendChanges(
  kysely: Kysely<Tables>,
  changes: readonly Omit<Change, 'revision'>[],
  now: Date,
): Promise<readonly Change[]> {
  if (changes.length === 0) return []
  const rows = await kysely
    .insertInto('changes')
    .values(changes.map((change) => ({ ...change, changed_at: now.toISOString() })))
    .returning('revision')
    .execute()
  const revisions = rows.map((row) => row.revision).toSorted((a, b) => a - b)
  return changes.map((change, index) => ({ ...change, revision: revisions[index] ?? 0 }))
}
