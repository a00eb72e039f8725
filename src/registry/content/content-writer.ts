import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import { inBatches } from '../../lib/in-batches.ts'
import type { Tables } from '../../storage/tables.ts'
import type { Occasion } from '../events/occasion.ts'
import { type ChangeRecorder, NO_RECORDER } from '../events/registry-events.ts'
import { OciError } from '../http/oci-error.ts'
import type { Manifest } from '../manifests/manifest.ts'
import { createChangeTeller, departing, digestOfTag } from './record-changes.ts'

export type RegistryTransaction = Transaction<Tables>

/** Where content lies: a registry's uid and one of its repositories. */
export interface RepositoryKey {
  readonly registry: string
  readonly repository: string
}

export interface ManifestPush extends RepositoryKey {
  readonly digest: Digest
  readonly content: Uint8Array
  readonly manifest: Manifest
  readonly tags: readonly string[]
  readonly platform: { readonly architecture?: string; readonly os?: string }
}

/**
 * Changes what registries hold; each call is one transaction. With an occasion the change is recorded in it: that it was
 * made, and for the webhooks that are to tell of it.
 */
export interface ContentWriter {
  linkBlob(key: RepositoryKey, digest: Digest, size: number): Promise<void>
  unlinkBlob(key: RepositoryKey, digest: Digest, occasion?: Occasion): Promise<boolean>
  /** @throws OciError MANIFEST_BLOB_UNKNOWN, MANIFEST_UNKNOWN where it names what the repository lacks */
  putManifest(push: ManifestPush, occasion?: Occasion): Promise<void>
  /** Its tags go with it. False where nothing was. */
  deleteManifest(key: RepositoryKey, digest: Digest, occasion?: Occasion): Promise<boolean>
  deleteTag(key: RepositoryKey, tag: string, occasion?: Occasion): Promise<boolean>
  /** What was deleted; undefined where nothing was. */
  deleteRepository(
    key: RepositoryKey,
    occasion?: Occasion,
  ): Promise<
    { readonly manifests: readonly string[]; readonly tags: readonly string[] } | undefined
  >
  deleteRegistry(registry: string): Promise<void>
}

const OF_REPOSITORY = [
  'registry_tags',
  'registry_manifest_references',
  'registry_manifests',
  'registry_blob_links',
] as const

const DELETED = { operation: 'Delete', status: 202 } as const
const UNTAGGED = { operation: 'Untag', status: 202 } as const

/** Writes what is in registries, each change in one transaction. */
export function createContentWriter(
  database: Kysely<Tables>,
  clock: Clock,
  recorder: ChangeRecorder = NO_RECORDER,
): ContentWriter {
  const changes = createChangeTeller(recorder)
  const inTransaction = <T>(work: (transaction: RegistryTransaction) => Promise<T>) =>
    database.transaction().execute(work)

  // Each commit waits for the disk; layers of many pushes at once share it.
  const link = inBatches<BlobLink>((links) =>
    inTransaction((transaction) => linkBlobs(transaction, clock, links)),
  )

  return {
    linkBlob: (key, digest, size) => link({ key, digest, size }),

    unlinkBlob: (key, digest, occasion) =>
      inTransaction(async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('registry_blob_links')
          .where('registry', '=', key.registry)
          .where('repository', '=', key.repository)
          .where('digest', '=', digest)
          .executeTakeFirst()
        if (numDeletedRows === 0n) return false
        await changes.told(transaction, { ...DELETED, ...key, digest }, occasion)
        return true
      }),

    putManifest: (push, occasion) =>
      inTransaction(async (transaction) => {
        await checkReferences(transaction, push)
        await storeManifest(transaction, clock, push)
        await changes.pushed(transaction, push, 'Push', occasion)
      }),

    deleteManifest: (key, digest, occasion) =>
      inTransaction(async (transaction) => {
        const gone = occasion && (await departing(transaction, key, digest))
        for (const table of ['registry_tags', 'registry_manifest_references'] as const) {
          await transaction
            .deleteFrom(table)
            .where('registry', '=', key.registry)
            .where('repository', '=', key.repository)
            .where('digest', '=', digest)
            .execute()
        }
        const { numDeletedRows } = await transaction
          .deleteFrom('registry_manifests')
          .where('registry', '=', key.registry)
          .where('repository', '=', key.repository)
          .where('digest', '=', digest)
          .executeTakeFirst()
        if (numDeletedRows > 0) await touchRepository(transaction, clock, key)
        if (gone) await changes.told(transaction, { ...DELETED, ...key, ...gone }, occasion)
        return numDeletedRows > 0
      }),

    deleteTag: (key, tag, occasion) =>
      inTransaction(async (transaction) => {
        const digest = occasion && (await digestOfTag(transaction, key, tag))
        const { numDeletedRows } = await transaction
          .deleteFrom('registry_tags')
          .where('registry', '=', key.registry)
          .where('repository', '=', key.repository)
          .where('name', '=', tag)
          .executeTakeFirst()
        if (numDeletedRows > 0) await touchRepository(transaction, clock, key)
        if (digest !== undefined) {
          await changes.told(transaction, { ...UNTAGGED, ...key, tag, digest }, occasion)
        }
        return numDeletedRows > 0
      }),

    deleteRepository: ({ registry, repository }, occasion) =>
      inTransaction(async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('registry_repositories')
          .where('registry', '=', registry)
          .where('name', '=', repository)
          .executeTakeFirst()
        if (numDeletedRows === 0n) return undefined
        const manifests = await transaction
          .selectFrom('registry_manifests')
          .where('registry', '=', registry)
          .where('repository', '=', repository)
          .select('digest')
          .orderBy('digest')
          .execute()
        const tags = await transaction
          .selectFrom('registry_tags')
          .where('registry', '=', registry)
          .where('repository', '=', repository)
          .select('name')
          .orderBy('name')
          .execute()
        for (const table of OF_REPOSITORY) {
          await transaction
            .deleteFrom(table)
            .where('registry', '=', registry)
            .where('repository', '=', repository)
            .execute()
        }
        const formerTags = tags.map((row) => row.name)
        const change = { ...DELETED, registry, repository, formerTags }
        await changes.told(transaction, change, occasion)
        return {
          manifests: manifests.map((row) => row.digest),
          tags: formerTags,
        }
      }),

    deleteRegistry: (registry) =>
      inTransaction(async (transaction) => {
        for (const table of [...OF_REPOSITORY, 'registry_repositories'] as const) {
          await transaction.deleteFrom(table).where('registry', '=', registry).execute()
        }
      }),
  }
}

export interface BlobLink {
  readonly key: RepositoryKey
  readonly digest: string
  readonly size: number
}

/** Lets blobs that are stored be seen in repositories. */
export async function linkBlobs(
  transaction: RegistryTransaction,
  clock: Clock,
  links: readonly BlobLink[],
): Promise<void> {
  if (links.length === 0) return
  const created_at = clock.now().toISOString()
  await transaction
    .insertInto('registry_blob_links')
    .values(
      links.map(({ key: { registry, repository }, digest, size }) => ({
        registry,
        repository,
        digest,
        size,
        created_at,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

async function checkReferences(
  transaction: RegistryTransaction,
  { registry, repository, manifest }: ManifestPush,
): Promise<void> {
  const missing = async (
    table: 'registry_blob_links' | 'registry_manifests',
    digests: readonly Digest[],
  ): Promise<readonly Digest[]> => {
    if (digests.length === 0) return []
    const rows = await transaction
      .selectFrom(table)
      .where('registry', '=', registry)
      .where('repository', '=', repository)
      .where('digest', 'in', digests)
      .select('digest')
      .execute()
    const present = new Set<string>(rows.map((row) => row.digest))
    return digests.filter((digest) => !present.has(digest))
  }
  const blobs = await missing('registry_blob_links', distinct(manifest.blobs))
  if (blobs.length > 0) throw new OciError('MANIFEST_BLOB_UNKNOWN', { digest: blobs[0] })
  const manifests = await missing('registry_manifests', distinct(manifest.manifests))
  if (manifests.length > 0) throw new OciError('MANIFEST_UNKNOWN', { digest: manifests[0] })
}

/** Stores a manifest whose parts are there, with its repository and tags. */
export async function storeManifest(
  transaction: RegistryTransaction,
  clock: Clock,
  push: ManifestPush,
): Promise<void> {
  const { registry, repository, digest, manifest, content, platform } = push
  const now = clock.now().toISOString()
  await touchRepository(transaction, clock, push)
  const size = manifest.blobs.reduce((sum, blob) => sum + blob.size, content.length)
  await transaction
    .insertInto('registry_manifests')
    .values({
      registry,
      repository,
      digest,
      media_type: manifest.mediaType,
      config_media_type: manifest.config?.mediaType ?? null,
      artifact_type: manifest.artifactType ?? null,
      subject: manifest.subject ?? null,
      architecture: platform.architecture ?? null,
      os: platform.os ?? null,
      image_size: size,
      content,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['registry', 'repository', 'digest'])
        // The same bytes may be pushed again as another media type.
        .doUpdateSet({ media_type: manifest.mediaType, updated_at: now }),
    )
    .execute()
  const children = [
    ...distinct(manifest.blobs).map((child) => ({ child, child_kind: 'blob' as const })),
    ...distinct(manifest.manifests).map((child) => ({ child, child_kind: 'manifest' as const })),
  ]
  if (children.length > 0) {
    await transaction
      .insertInto('registry_manifest_references')
      .values(children.map((child) => ({ registry, repository, digest, ...child })))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  for (const name of push.tags) {
    await transaction
      .insertInto('registry_tags')
      .values({ registry, repository, name, digest, created_at: now, updated_at: now })
      .onConflict((conflict) =>
        conflict
          .columns(['registry', 'repository', 'name'])
          .doUpdateSet({ digest, updated_at: now }),
      )
      .execute()
  }
}

async function touchRepository(
  transaction: RegistryTransaction,
  clock: Clock,
  { registry, repository }: RepositoryKey,
): Promise<void> {
  const now = clock.now().toISOString()
  await transaction
    .insertInto('registry_repositories')
    .values({ registry, name: repository, created_at: now, updated_at: now })
    .onConflict((conflict) =>
      conflict.columns(['registry', 'name']).doUpdateSet({ updated_at: now }),
    )
    .execute()
}

const distinct = (descriptors: readonly { readonly digest: Digest }[]): readonly Digest[] => [
  ...new Set(descriptors.map((each) => each.digest)),
]
