import { type Kysely, sql } from 'kysely'
import type { ReviewReason } from '../../storage/registry-tables.ts'
import type { Tables } from '../../storage/tables.ts'

/** Short enough that a push hardly waits for it. */
const BATCH = 100

/** A blob that no manifest of its repository needs. */
export interface UnneededBlob {
  readonly registry: string
  readonly repository: string
  readonly digest: string
  readonly size: number
  readonly reason: ReviewReason
  readonly since: string
}

/** Blobs under review that no manifest needs, deleted ones that can be restored included; the oldest first. */
export async function unneededBlobs(
  database: Kysely<Tables>,
  options: { readonly until: string; readonly limit: number },
): Promise<readonly UnneededBlob[]> {
  const { rows } = await sql<UnneededBlob>`
    SELECT v.registry, v.repository, v.digest, l.size, v.reason, v.since
    FROM registry_blob_reviews v
    JOIN registry_blob_links l ON l.registry = v.registry AND l.repository = v.repository AND l.digest = v.digest
    WHERE v.since <= ${options.until} AND NOT EXISTS (
      SELECT 1 FROM registry_manifest_references r
      WHERE r.registry = v.registry AND r.repository = v.repository AND r.child = v.digest)
    ORDER BY v.since LIMIT ${options.limit}`.execute(database)
  return rows
}

/**
 * Ends the reviews that began until then, a batch in each transaction: what no manifest needs is taken from its
 * repository, and its file is left to a removal of the same age. Returns how many blobs repositories have lost.
 */
export async function endDueReviews(
  { database, signal }: { readonly database: Kysely<Tables>; readonly signal: AbortSignal },
  until: string,
): Promise<number> {
  let unlinked = 0
  for (;;) {
    signal.throwIfAborted()
    const batch = await database.transaction().execute(async (transaction) => {
      const due = await transaction
        .selectFrom('registry_blob_reviews')
        .where('since', '<=', until)
        .orderBy('since')
        .limit(BATCH)
        .selectAll()
        .execute()
      let taken = 0
      for (const { registry, repository, digest, reason, since } of due) {
        const those = sql`registry = ${registry} AND repository = ${repository} AND digest = ${digest}`
        await sql`DELETE FROM registry_blob_reviews WHERE ${those}`.execute(transaction)
        const { rows } = await sql<{ size: number }>`DELETE FROM registry_blob_links
          WHERE ${those} AND NOT EXISTS (
            SELECT 1 FROM registry_manifest_references
            WHERE registry = ${registry} AND repository = ${repository} AND child = ${digest})
          RETURNING size`.execute(transaction)
        for (const { size } of rows) {
          taken += 1
          await transaction
            .insertInto('registry_blob_removals')
            .values({ digest, size, reason, since })
            .onConflict((conflict) => conflict.doUpdateSet({ reason, since }))
            .execute()
        }
      }
      return { taken, isLast: due.length < BATCH }
    })
    unlinked += batch.taken
    if (batch.isLast) return unlinked
  }
}
