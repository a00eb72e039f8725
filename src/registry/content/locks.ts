import { sql } from 'kysely'
import { disallowed, type Lock } from './disallowed.ts'
import { requireFirstPush, type TagPush } from './first-push-wins.ts'
import type { RegistryTransaction, RepositoryKey } from './repository-key.ts'

// Which attribute keeps what from happening is as in
// https://learn.microsoft.com/azure/container-registry/container-registry-image-lock: a repository that may not be
// written is locked with all that is in it, one that may not be deleted lends nothing to what is in it; and what may not
// be written may not be deleted either. Each check is made in the transaction of the change that it allows.

/**
 * A push may write its repository, its manifest where that is there already, and each of its tags.
 *
 * @throws OciError TAG_STAYS also, where the first push wins
 */
export async function requirePushable(
  transaction: RegistryTransaction,
  push: TagPush,
): Promise<void> {
  const { registry, repository, digest, tags } = push
  const { rows } = await sql<Lock>`
    SELECT 'repository' AS kind, name, 'writeEnabled' AS attribute FROM registry_repositories
      WHERE registry = ${registry} AND name = ${repository} AND write_enabled = 0
    UNION ALL SELECT 'manifest', digest, 'writeEnabled' FROM registry_manifests
      WHERE registry = ${registry} AND repository = ${repository} AND digest = ${digest} AND write_enabled = 0
    UNION ALL SELECT 'tag', name, 'writeEnabled' FROM registry_tags
      WHERE registry = ${registry} AND repository = ${repository} AND name IN (${sql.join(tags)}) AND write_enabled = 0
    LIMIT 1`.execute(transaction)
  refuseIf(rows)
  await requireFirstPush(transaction, push)
}

/** A tag may be taken off a manifest that is locked, for tags and manifests have their own attributes. */
export async function requireDeletableTag(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  tag: string,
): Promise<void> {
  const { rows } = await sql<Lock>`
    ${lockedRepository(registry, repository)}
    UNION ALL SELECT 'tag', name, ${attributeThatForbids} FROM registry_tags
      WHERE registry = ${registry} AND repository = ${repository} AND name = ${tag} AND ${isLocked}
    LIMIT 1`.execute(transaction)
  refuseIf(rows)
}

/**
 * A manifest or blob may go unless it, or a manifest that is made of it, or a tag of either, is locked: a locked image
 * keeps its parts. The service is known to keep the manifest and its tags; of an image's parts nothing is known.
 */
export async function requireDeletableContent(
  transaction: RegistryTransaction,
  key: RepositoryKey,
  digest: string,
): Promise<void> {
  refuseIf(await locksOnContent(transaction, key, digest))
}

/** The same for who passes over what may not go: a policy, and what goes along with something else. */
export const isDeletableContent = async (
  transaction: RegistryTransaction,
  key: RepositoryKey,
  digest: string,
): Promise<boolean> => (await locksOnContent(transaction, key, digest)).length === 0

async function locksOnContent(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  digest: string,
): Promise<readonly Lock[]> {
  // The order and the index are given: left to itself, SQLite reads all references of the repository at each step.
  const { rows } = await sql<Lock>`
    WITH RECURSIVE holder (digest) AS (
      SELECT ${digest}
      UNION SELECT r.digest FROM holder h
        CROSS JOIN registry_manifest_references r INDEXED BY registry_manifest_references_child
        WHERE r.registry = ${registry} AND r.repository = ${repository} AND r.child = h.digest)
    ${lockedRepository(registry, repository)}
    UNION ALL SELECT 'manifest', digest, ${attributeThatForbids} FROM registry_manifests
      WHERE registry = ${registry} AND repository = ${repository} AND digest IN holder AND ${isLocked}
    UNION ALL SELECT 'tag', name, ${attributeThatForbids} FROM registry_tags
      WHERE registry = ${registry} AND repository = ${repository} AND digest IN holder AND ${isLocked}
    LIMIT 1`.execute(transaction)
  return rows
}

/** A repository may go unless it or anything in it is locked. */
export async function requireDeletableRepository(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
): Promise<void> {
  const { rows } = await sql<Lock>`
    SELECT 'repository' AS kind, name, ${attributeThatForbids} AS attribute FROM registry_repositories
      WHERE registry = ${registry} AND name = ${repository} AND ${isLocked}
    UNION ALL SELECT 'manifest', digest, ${attributeThatForbids} FROM registry_manifests
      WHERE registry = ${registry} AND repository = ${repository} AND ${isLocked}
    UNION ALL SELECT 'tag', name, ${attributeThatForbids} FROM registry_tags
      WHERE registry = ${registry} AND repository = ${repository} AND ${isLocked}
    LIMIT 1`.execute(transaction)
  refuseIf(rows)
}

/** Of a row with attributes: that it may not be deleted. */
const isLocked = sql`(write_enabled = 0 OR delete_enabled = 0)`
const attributeThatForbids = sql`iif(delete_enabled = 0, 'deleteEnabled', 'writeEnabled')`

const lockedRepository = (registry: string, repository: string) => sql`
  SELECT 'repository' AS kind, name, 'writeEnabled' AS attribute FROM registry_repositories
    WHERE registry = ${registry} AND name = ${repository} AND write_enabled = 0`

function refuseIf([lock]: readonly Lock[]): void {
  if (lock) throw disallowed(lock)
}
