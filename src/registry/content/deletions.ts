import { sql } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import { reviewBlobsOf, unlinkBlobs } from './blob-queues.ts'
import {
  isDeletableContent,
  requireDeletableContent,
  requireDeletableRepository,
  requireDeletableTag,
} from './locks.ts'
import type { RegistryTransaction, RepositoryKey } from './repository-key.ts'
import { keepManifests, keepTags } from './soft-deletes.ts'
import { touchRepository } from './touch-repository.ts'
import { forgetUntagged, noteIfUntagged, renewUntaggedPartsOf } from './untagged.ts'

/** `soft`: it can be restored, as long as the registry's policy says. */
export type Deletion = 'soft' | 'final'

/** All that a registry has, the parts before the whole. */
const OF_REGISTRY = [
  'registry_tags',
  'registry_upstream_tags',
  'registry_manifest_references',
  'registry_manifests',
  'registry_untagged_manifests',
  'registry_deleted_tags',
  'registry_deleted_manifests',
  'registry_repositories',
  'registry_replica_queue',
  'registry_replicas',
  // Their triggers count in any case; what is zero by now goes.
  'registry_repository_counts',
  'registry_stored_bytes',
] as const

/**
 * Deletes a manifest with its tags, and whatever refers to it and has neither a tag nor a lock of its own. False where
 * there is none.
 *
 * @param leaving is told of each while it is still there
 * @throws OciError REGISTRY_DISALLOWED_OPERATION where it is locked
 */
export async function deleteManifest(
  transaction: RegistryTransaction,
  clock: Clock,
  key: RepositoryKey,
  digest: string,
  deletion: Deletion,
  leaving: (digest: string) => Promise<void> = async () => {},
): Promise<boolean> {
  const { registry, repository } = key
  await requireDeletableContent(transaction, key, digest)
  await leaving(digest)
  const now = clock.now().toISOString()
  const those = { ...key, digest }
  if (deletion === 'soft') {
    await keepManifests(transaction, those, now)
    await keepTags(transaction, those, now)
  }
  const { numDeletedRows } = await transaction
    .deleteFrom('registry_manifests')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .executeTakeFirst()
  if (numDeletedRows === 0n) return false
  await transaction
    .deleteFrom('registry_tags')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .execute()
  await forgetUntagged(transaction, key, digest)
  if (deletion === 'final') await endManifest(transaction, key, digest, now)
  await touchRepository(transaction, clock, key)
  for (const referrer of await untaggedReferrers(transaction, key, digest)) {
    if (!(await isDeletableContent(transaction, key, referrer))) continue
    await deleteManifest(transaction, clock, key, referrer, deletion, leaving)
  }
  return true
}

/** Ends what a manifest that cannot be restored held together. */
export async function endManifest(
  transaction: RegistryTransaction,
  key: RepositoryKey,
  digest: string,
  now: string,
): Promise<void> {
  await reviewBlobsOf(transaction, key, digest, now)
  await renewUntaggedPartsOf(transaction, key, digest, now)
  for (const table of ['registry_manifest_references', 'registry_deleted_tags'] as const) {
    await transaction
      .deleteFrom(table)
      .where('registry', '=', key.registry)
      .where('repository', '=', key.repository)
      .where('digest', '=', digest)
      .execute()
  }
}

// `az acr manifest delete` asks whether one is sure to delete the artifact "and all manifests that refer to it".
async function untaggedReferrers(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  subject: string,
): Promise<readonly string[]> {
  const rows = await transaction
    .selectFrom('registry_manifests as m')
    .innerJoin('registry_untagged_manifests as u', (join) =>
      join
        .onRef('u.registry', '=', 'm.registry')
        .onRef('u.repository', '=', 'm.repository')
        .onRef('u.digest', '=', 'm.digest'),
    )
    .where('m.registry', '=', registry)
    .where('m.repository', '=', repository)
    .where('m.subject', '=', subject)
    .select('m.digest')
    .execute()
  return rows.map((row) => row.digest)
}

/**
 * Takes a tag off its manifest. False where there is none.
 *
 * @throws OciError REGISTRY_DISALLOWED_OPERATION where it is locked
 */
export async function deleteTag(
  transaction: RegistryTransaction,
  clock: Clock,
  key: RepositoryKey,
  tag: string,
  deletion: Deletion,
): Promise<boolean> {
  const now = clock.now().toISOString()
  await requireDeletableTag(transaction, key, tag)
  if (deletion === 'soft') await keepTags(transaction, { ...key, tag }, now)
  const deleted = await transaction
    .deleteFrom('registry_tags')
    .where('registry', '=', key.registry)
    .where('repository', '=', key.repository)
    .where('name', '=', tag)
    .returning('digest')
    .executeTakeFirst()
  if (!deleted) return false
  await noteIfUntagged(transaction, key, deleted.digest, now)
  await touchRepository(transaction, clock, key)
  return true
}

export interface DeletedRepository {
  readonly manifests: readonly string[]
  readonly tags: readonly string[]
}

/**
 * Deletes a repository with all it shows; what was deleted in it before can still be restored. Undefined where there is none.
 *
 * @throws OciError REGISTRY_DISALLOWED_OPERATION where it or anything in it is locked
 */
export async function deleteRepository(
  transaction: RegistryTransaction,
  clock: Clock,
  key: RepositoryKey,
  deletion: Deletion,
): Promise<DeletedRepository | undefined> {
  const { registry, repository } = key
  const now = clock.now().toISOString()
  await requireDeletableRepository(transaction, key)
  const { numDeletedRows } = await transaction
    .deleteFrom('registry_repositories')
    .where('registry', '=', registry)
    .where('name', '=', repository)
    .executeTakeFirst()
  if (numDeletedRows === 0n) return undefined
  if (deletion === 'soft') {
    await keepManifests(transaction, key, now)
    await keepTags(transaction, key, now)
  } else {
    for (const table of ['registry_manifest_references', 'registry_deleted_tags'] as const) {
      await sql`DELETE FROM ${sql.table(table)}
        WHERE registry = ${registry} AND repository = ${repository} AND digest IN (
          SELECT digest FROM registry_manifests WHERE registry = ${registry} AND repository = ${repository})`.execute(
        transaction,
      )
    }
    await unlinkBlobs(transaction, { registry, repository }, 'repository-deleted', now)
  }
  const deleteFrom = (
    table:
      | 'registry_tags'
      | 'registry_upstream_tags'
      | 'registry_manifests'
      | 'registry_untagged_manifests'
      | 'registry_repository_counts',
  ) =>
    transaction
      .deleteFrom(table)
      .where('registry', '=', registry)
      .where('repository', '=', repository)
  const tags = await deleteFrom('registry_tags').returning('name').execute()
  const manifests = await deleteFrom('registry_manifests').returning('digest').execute()
  await deleteFrom('registry_untagged_manifests').execute()
  await deleteFrom('registry_upstream_tags').execute()
  // Triggers have counted down to zero.
  await deleteFrom('registry_repository_counts').execute()
  return {
    manifests: manifests.map((row) => row.digest).toSorted(),
    tags: tags.map((row) => row.name).toSorted(),
  }
}

/** Deletes all that a registry ever held. */
export async function deleteRegistry(
  transaction: RegistryTransaction,
  clock: Clock,
  registry: string,
): Promise<void> {
  const now = clock.now().toISOString()
  await unlinkBlobs(transaction, { registry }, 'registry-deleted', now)
  for (const table of OF_REGISTRY) {
    await transaction.deleteFrom(table).where('registry', '=', registry).execute()
  }
}
