import { sql } from 'kysely'
import type { RegistryTransaction, RepositoryKey } from './repository-key.ts'

/** Notes since when a manifest has no tag, where it has none. One that was without before begins anew. */
export async function noteIfUntagged(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  digest: string,
  since: string,
): Promise<void> {
  await sql`INSERT INTO registry_untagged_manifests (registry, repository, digest, since)
    SELECT registry, repository, digest, ${since} FROM registry_manifests m
    WHERE registry = ${registry} AND repository = ${repository} AND digest = ${digest}
      AND NOT EXISTS (SELECT 1 FROM registry_tags t
        WHERE t.registry = m.registry AND t.repository = m.repository AND t.digest = m.digest)
    ON CONFLICT DO UPDATE SET since = excluded.since`.execute(transaction)
}

/** It has a tag, or is gone. */
export async function forgetUntagged(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  digest: string,
): Promise<void> {
  await transaction
    .deleteFrom('registry_untagged_manifests')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .execute()
}

/** What an index held together begins anew as untagged when the index goes. */
export async function renewUntaggedPartsOf(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  digest: string,
  since: string,
): Promise<void> {
  await sql`UPDATE registry_untagged_manifests SET since = ${since}
    WHERE registry = ${registry} AND repository = ${repository} AND digest IN (
      SELECT child FROM registry_manifest_references
      WHERE registry = ${registry} AND repository = ${repository} AND digest = ${digest} AND child_kind = 'manifest')`.execute(
    transaction,
  )
}
