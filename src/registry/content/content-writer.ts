import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import { inBatches } from '../../lib/in-batches.ts'
import { createSharedTransactions } from '../../storage/shared-transactions.ts'
import type { Tables } from '../../storage/tables.ts'
import type { Occasion } from '../events/occasion.ts'
import { type ChangeRecorder, NO_RECORDER } from '../events/registry-events.ts'
import { OciError } from '../http/oci-error.ts'
import { isHere, type Manifest, withBlobsListed } from '../manifests/manifest.ts'
import { queueForReplicas } from '../replicas/replica-queue.ts'
import { type AttributeHolder, type Attributes, changeAttributes } from './attributes.ts'
import type { TagPush } from './first-push-wins.ts'
import { sizeOfImage } from './image-size.ts'
import {
  requireDeletableContent,
  requireDeletableRepository,
  requireDeletableTag,
  requirePushable,
} from './locks.ts'
import { createChangeTeller, departing, digestOfTag } from './record-changes.ts'

export type RegistryTransaction = Transaction<Tables>

/** Where content lies: a registry's uid and one of its repositories. */
export interface RepositoryKey {
  readonly registry: string
  readonly repository: string
}

export interface ManifestPush extends TagPush {
  readonly digest: Digest
  readonly content: Uint8Array
  readonly manifest: Manifest
  readonly platform: { readonly architecture?: string; readonly os?: string }
}

/**
 * Changes what registries hold; each call is one transaction. With an occasion the change is recorded in it: that it was
 * made, and for the webhooks that are to tell of it.
 *
 * @throws OciError REGISTRY_DISALLOWED_OPERATION where a lock forbids to delete or to push
 */
export interface ContentWriter {
  linkBlob(key: RepositoryKey, digest: Digest, size: number): Promise<void>
  unlinkBlob(key: RepositoryKey, digest: Digest, occasion?: Occasion): Promise<boolean>
  /** @throws OciError MANIFEST_BLOB_UNKNOWN where it names what the repository lacks, a subject apart; TAG_STAYS */
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
  /** Sets what `change` names, at least one. False where there is no such thing. */
  changeAttributes(
    key: RepositoryKey,
    holder: AttributeHolder,
    change: Partial<Attributes>,
  ): Promise<boolean>
}

const OF_REPOSITORY = [
  'registry_tags',
  'registry_upstream_tags',
  'registry_manifest_references',
  'registry_manifests',
  'registry_blob_links',
] as const

const OF_REGISTRY = [
  ...OF_REPOSITORY,
  ...(['registry_repositories', 'registry_replica_queue', 'registry_replicas'] as const),
] as const

const DELETED = { operation: 'Delete', status: 202 } as const
const UNTAGGED = { operation: 'Untag', status: 202 } as const

/**
 * Writes what is in registries, each change in one transaction.
 *
 * @param queued is called when blobs wait to be copied to replicas
 * @param recorder is told of each change that has an occasion, in its transaction
 */
export function createContentWriter(
  database: Kysely<Tables>,
  clock: Clock,
  queued: () => void = () => {},
  recorder: ChangeRecorder = NO_RECORDER,
): ContentWriter {
  const changes = createChangeTeller(recorder)
  const inTransaction = createSharedTransactions(database)

  // Layers of many pushes at once share one statement as well.
  const link = inBatches<BlobLink>(async (links) => {
    if (await inTransaction((transaction) => linkBlobs(transaction, clock, links))) queued()
  })

  return {
    linkBlob: (key, digest, size) => link({ key, digest, size }),

    unlinkBlob: (key, digest, occasion) =>
      inTransaction(async (transaction) => {
        await requireDeletableContent(transaction, key, digest)
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
        await requirePushable(transaction, push)
        const manifest = await checkReferences(transaction, push)
        await storeManifest(transaction, clock, { ...push, manifest })
        await changes.pushed(transaction, { ...push, manifest }, 'Push', occasion)
      }),

    deleteManifest: (key, digest, occasion) =>
      inTransaction(async (transaction) => {
        await requireDeletableContent(transaction, key, digest)
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
        await requireDeletableTag(transaction, key, tag)
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
        await requireDeletableRepository(transaction, { registry, repository })
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
        for (const table of OF_REGISTRY) {
          await transaction.deleteFrom(table).where('registry', '=', registry).execute()
        }
      }),

    changeAttributes: (key, holder, change) => changeAttributes(database, key, holder, change),
  }
}

export interface BlobLink {
  readonly key: RepositoryKey
  readonly digest: string
  readonly size: number
}

/** Lets blobs that are stored be seen in repositories. Returns whether replicas are to get them. */
export async function linkBlobs(
  transaction: RegistryTransaction,
  clock: Clock,
  links: readonly BlobLink[],
): Promise<boolean> {
  if (links.length === 0) return false
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
  const blobs = links.map(({ key: { registry }, digest, size }) => ({ registry, digest, size }))
  return queueForReplicas(transaction, clock, blobs)
}

/** The manifest with its parts told apart by what they are here: an index may list blobs. */
async function checkReferences(
  transaction: RegistryTransaction,
  { registry, repository, manifest }: ManifestPush,
): Promise<Manifest> {
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
  const noManifests = await missing(
    'registry_manifests',
    distinct(manifest.manifests.filter(isHere)),
  )
  const needed = [...distinct(manifest.blobs.filter(isHere)), ...noManifests]
  const [lacking] = await missing('registry_blob_links', needed)
  if (lacking) throw new OciError('MANIFEST_BLOB_UNKNOWN', { digest: lacking })
  return withBlobsListed(manifest, ({ digest }) => noManifests.includes(digest))
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
  const size = await sizeOfImage(transaction, push)
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
