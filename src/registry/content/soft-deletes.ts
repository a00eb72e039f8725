import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import { OciError } from '../http/oci-error.ts'
import type { Deletion } from './deletions.ts'
import { requirePushable } from './locks.ts'
import type { RegistryTransaction, RepositoryKey } from './repository-key.ts'
import { touchRepository } from './touch-repository.ts'
import { forgetUntagged, noteIfUntagged } from './untagged.ts'

// Locks keep things from being deleted; what may be read and listed stays as it was.
const ATTRIBUTES = sql.raw('delete_enabled, write_enabled, read_enabled, list_enabled')
const COLUMNS = sql`registry, repository, digest, media_type, config_media_type, artifact_type, subject,
  architecture, os, image_size, content, created_at, updated_at, ${ATTRIBUTES}`

const within = ({ registry, repository }: RepositoryKey): RawBuilder<SqlBool> =>
  sql`registry = ${registry} AND repository = ${repository}`

/** Keeps one manifest, or all of a repository, so that it can be restored; the caller deletes it. */
export async function keepManifests(
  transaction: RegistryTransaction,
  { digest, ...key }: RepositoryKey & { readonly digest?: string },
  now: string,
): Promise<void> {
  await sql`INSERT INTO registry_deleted_manifests (${COLUMNS}, deleted_at)
    SELECT ${COLUMNS}, ${now} FROM registry_manifests
    WHERE ${within(key)} ${digest === undefined ? sql`` : sql`AND digest = ${digest}`}
    ORDER BY digest`.execute(transaction)
}

/** Keeps a tag, those of a manifest, or all of a repository. */
export async function keepTags(
  transaction: RegistryTransaction,
  { digest, tag, ...key }: RepositoryKey & { readonly digest?: string; readonly tag?: string },
  now: string,
): Promise<void> {
  await sql`INSERT INTO registry_deleted_tags (registry, repository, name, digest, ${ATTRIBUTES}, deleted_at)
    SELECT registry, repository, name, digest, ${ATTRIBUTES}, ${now} FROM registry_tags
    WHERE ${within(key)}
      ${digest === undefined ? sql`` : sql`AND digest = ${digest}`}
      ${tag === undefined ? sql`` : sql`AND name = ${tag}`}
    ORDER BY name`.execute(transaction)
}

/** Whether a manifest was deleted and can be restored. */
export async function isKept(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  digest: string,
): Promise<boolean> {
  const row = await transaction
    .selectFrom('registry_deleted_manifests')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .select('id')
    .executeTakeFirst()
  return row !== undefined
}

export interface Restoration extends RepositoryKey {
  readonly digest: Digest
  /** The tag it gets; without one it stays without. */
  readonly tag?: string
  /** Takes the tag from the manifest that has it now: a deletion of that tag. */
  readonly force: boolean
  readonly deletion: Deletion
  /** As in a push. */
  readonly keepsTags: boolean
}

/**
 * Brings a deleted manifest back, or a deleted tag to a manifest that is still there.
 *
 * @throws OciError MANIFEST_UNKNOWN; CONFLICT where its subject is still deleted, or another manifest has the tag; what a
 * push under that tag would throw
 */
export async function restoreManifest(
  transaction: RegistryTransaction,
  clock: Clock,
  { digest, tag, force, deletion, keepsTags, ...key }: Restoration,
): Promise<void> {
  const now = clock.now().toISOString()
  const tags = tag === undefined ? [] : [tag]
  await requirePushable(transaction, { ...key, digest, tags, keepsTags })
  await requireSubject(transaction, key, digest)
  const those = sql`${within(key)} AND digest = ${digest}`
  await sql`INSERT INTO registry_manifests (${COLUMNS})
    SELECT ${COLUMNS} FROM registry_deleted_manifests WHERE ${those}`.execute(transaction)
  await sql`DELETE FROM registry_deleted_manifests WHERE ${those}`.execute(transaction)
  const { rows } = await sql`SELECT 1 FROM registry_manifests WHERE ${those}`.execute(transaction)
  if (rows.length === 0) throw new OciError('MANIFEST_UNKNOWN', { digest })
  if (tag !== undefined) await moveTag(transaction, key, { digest, tag, force, deletion, now })
  await noteIfUntagged(transaction, key, digest, now)
  await touchRepository(transaction, clock, key)
}

/** Restoring a subject does not restore what refers to it; that comes after it. */
async function requireSubject(
  transaction: RegistryTransaction,
  key: RepositoryKey,
  digest: string,
): Promise<void> {
  const { rows } = await sql<{ subject: string | null }>`
    SELECT subject FROM registry_deleted_manifests WHERE ${within(key)} AND digest = ${digest}`.execute(
    transaction,
  )
  const subject = rows[0]?.subject
  if (!subject || !(await isKept(transaction, key, subject))) return
  throw new OciError('CONFLICT', { digest, subject }, { message: subjectFirst(subject) })
}

const subjectFirst = (subject: string): string =>
  `the manifest refers to ${subject}, which is deleted: restore that first`

async function moveTag(
  transaction: RegistryTransaction,
  key: RepositoryKey,
  move: { digest: string; tag: string; force: boolean; deletion: Deletion; now: string },
): Promise<void> {
  const { digest, tag, force, deletion, now } = move
  const { registry, repository } = key
  const holder = await transaction
    .selectFrom('registry_tags')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('name', '=', tag)
    .select('digest')
    .executeTakeFirst()
  const isHeld = holder !== undefined && holder.digest !== digest
  if (isHeld && !force) {
    const message = `the tag '${tag}' exists already: restore with force to overwrite it`
    throw new OciError('CONFLICT', { tag, digest: holder.digest }, { message })
  }
  if (isHeld && deletion === 'soft') await keepTags(transaction, { ...key, tag }, now)
  const deleted = await transaction
    .deleteFrom('registry_deleted_tags')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('name', '=', tag)
    .where('digest', '=', digest)
    .returning(['delete_enabled', 'write_enabled', 'read_enabled', 'list_enabled'])
    .execute()
  const times = { created_at: now, updated_at: now }
  await transaction
    .insertInto('registry_tags')
    .values({ registry, repository, name: tag, digest, ...times, ...deleted.at(-1) })
    .onConflict((conflict) =>
      conflict.columns(['registry', 'repository', 'name']).doUpdateSet({ digest, updated_at: now }),
    )
    .execute()
  await forgetUntagged(transaction, key, digest)
  if (isHeld) await noteIfUntagged(transaction, key, holder.digest, now)
}
