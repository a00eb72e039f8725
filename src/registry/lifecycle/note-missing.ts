import { isDigest } from '../../lib/digest.ts'
import type { ScrubPorts } from './create-scrubber.ts'

/**
 * Notes blobs that a repository has and the store has not: of the next so many digests after `after`. Returns the last of
 * them; undefined where there are no more.
 */
export async function noteMissing(
  { database, blobs, clock, signal }: ScrubPorts,
  after: string,
  limit: number,
): Promise<string | undefined> {
  signal.throwIfAborted()
  const rows = await database
    .selectFrom('registry_blob_links')
    .where('digest', '>', after)
    .select('digest')
    .distinct()
    .orderBy('digest')
    .limit(limit)
    .execute()
  for (const { digest } of rows) {
    if (!isDigest(digest) || (await blobs.has(digest))) continue
    // In the transaction a link that has come or gone since is seen.
    await database.transaction().execute(async (transaction) => {
      const link = await transaction
        .selectFrom('registry_blob_links')
        .where('digest', '=', digest)
        .select('digest')
        .limit(1)
        .executeTakeFirst()
      if (!link || (await blobs.has(digest))) return
      const found_at = clock.now().toISOString()
      await transaction
        .insertInto('registry_damaged_blobs')
        .values({ digest, kind: 'missing', found_at })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }
  return rows.at(-1)?.digest
}
