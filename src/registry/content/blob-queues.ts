import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { RemovalReason, ReviewReason } from '../../storage/registry-tables.ts'
import type { RegistryTransaction, RepositoryKey } from './repository-key.ts'

/**
 * What feeds the garbage collector, in the transaction of whatever takes a reference away. A *review* looks whether a
 * repository still needs a blob, a *removal* whether any repository still has it; both after a grace.
 */

/** To be looked at: blobs that a repository may not need. One that is looked at already begins anew. */
export async function reviewBlobs(
  transaction: RegistryTransaction,
  blobs: readonly (RepositoryKey & { readonly digest: string })[],
  reason: ReviewReason,
  since: string,
): Promise<void> {
  if (blobs.length === 0) return
  await transaction
    .insertInto('registry_blob_reviews')
    .values(
      blobs.map(({ registry, repository, digest }) => ({
        registry,
        repository,
        digest,
        reason,
        since,
      })),
    )
    .onConflict((conflict) => conflict.doUpdateSet({ reason, since }))
    .execute()
}

/** To be looked at: what a manifest that goes is made of and the repository has as a blob. */
export async function reviewBlobsOf(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  digest: string,
  since: string,
): Promise<void> {
  await sql`INSERT INTO registry_blob_reviews (registry, repository, digest, reason, since)
    SELECT r.registry, r.repository, r.child, 'manifest-deleted', ${since} FROM registry_manifest_references r
    WHERE r.registry = ${registry} AND r.repository = ${repository} AND r.digest = ${digest}
      AND EXISTS (SELECT 1 FROM registry_blob_links l
        WHERE l.registry = r.registry AND l.repository = r.repository AND l.digest = r.child)
    ON CONFLICT DO UPDATE SET reason = excluded.reason, since = excluded.since`.execute(transaction)
}

/** A manifest needs them now. */
export async function endReviews(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  digests: readonly string[],
): Promise<void> {
  if (digests.length === 0) return
  await transaction
    .deleteFrom('registry_blob_reviews')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('digest', 'in', digests)
    .execute()
}

/**
 * Takes blobs from repositories, and lets their files go where nobody else has them: one blob, all of a registry, or those
 * of a repository that no manifest needs. Returns how many it took.
 */
export async function unlinkBlobs(
  transaction: RegistryTransaction,
  which: {
    readonly registry: string
    readonly repository?: string
    readonly digest?: string
  },
  reason: RemovalReason,
  since: string,
): Promise<number> {
  const of = (table: 'registry_blob_links' | 'registry_blob_reviews') => matching(table, which)
  await sql`INSERT INTO registry_blob_removals (digest, size, reason, since)
    SELECT digest, max(size), ${reason}, ${since} FROM registry_blob_links
    WHERE ${of('registry_blob_links')} GROUP BY digest
    ON CONFLICT DO UPDATE SET reason = excluded.reason, since = excluded.since`.execute(transaction)
  await transaction.deleteFrom('registry_blob_reviews').where(of('registry_blob_reviews')).execute()
  const { numDeletedRows } = await transaction
    .deleteFrom('registry_blob_links')
    .where(of('registry_blob_links'))
    .executeTakeFirst()
  return Number(numDeletedRows)
}

function matching(
  name: 'registry_blob_links' | 'registry_blob_reviews',
  { registry, repository, digest }: Parameters<typeof unlinkBlobs>[1],
): RawBuilder<SqlBool> {
  const table = sql.table(name)
  if (repository === undefined) return sql`${table}.registry = ${registry}`
  const within = sql`${table}.registry = ${registry} AND ${table}.repository = ${repository}`
  if (digest !== undefined) return sql`${within} AND ${table}.digest = ${digest}`
  return sql`${within} AND NOT EXISTS (SELECT 1 FROM registry_manifest_references r
    WHERE r.registry = ${registry} AND r.repository = ${repository} AND r.child = ${table}.digest)`
}
