import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import { inBatches } from '../../lib/in-batches.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import { createSharedTransactions } from '../../storage/shared-transactions.ts'
import type { Tables } from '../../storage/tables.ts'
import type { Occasion } from '../events/occasion.ts'
import { type ChangeRecorder, NO_RECORDER } from '../events/registry-events.ts'
import { OciError } from '../http/oci-error.ts'
import { isHere, type Manifest, withBlobsListed } from '../manifests/manifest.ts'
import { queueForReplicas } from '../replicas/replica-queue.ts'
import { type AttributeHolder, type Attributes, changeAttributes } from './attributes.ts'
import { endReviews, reviewBlobs, unlinkBlobs } from './blob-queues.ts'
import {
  type DeletedRepository,
  deleteManifest,
  deleteRegistry,
  deleteRepository,
  deleteTag,
} from './deletions.ts'
import type { TagPush } from './first-push-wins.ts'
import { sizeOfImage } from './image-size.ts'
import { requireDeletableContent, requirePushable } from './locks.ts'
import { createChangeTeller, type Departing, departing, digestOfTag } from './record-changes.ts'
import { isKept, type Restoration, restoreManifest } from './soft-deletes.ts'
import { touchRepository } from './touch-repository.ts'
import { forgetUntagged, noteIfUntagged } from './untagged.ts'

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

/** `soft`: it can be restored, as long as the registry's policy says. */
export type Deletion = 'soft' | 'final'

/**
 * Changes what registries hold; each call is one transaction. With an occasion the change is recorded in it: that it was
 * made, and for the webhooks that are to tell of it.
 *
 * @throws OciError REGISTRY_DISALLOWED_OPERATION where a lock forbids to delete, to push or to restore
 */
export interface ContentWriter {
  /** Lets a blob be seen in a repository. False where the store does not have it, or not any more. */
  linkBlob(key: RepositoryKey, digest: Digest, size: number): Promise<boolean>
  /** Says that somebody is about to use a blob: the grace of one that nothing needs yet begins anew. False where it is gone. */
  renewBlob(key: RepositoryKey, digest: Digest): Promise<boolean>
  unlinkBlob(key: RepositoryKey, digest: Digest, occasion?: Occasion): Promise<boolean>
  /**
   * @throws OciError MANIFEST_BLOB_UNKNOWN where it names what the repository lacks, a subject apart; TAG_STAYS; CONFLICT
   * where it is deleted and can be restored
   */
  putManifest(push: ManifestPush, occasion?: Occasion): Promise<void>
  /** Its tags go with it, and what refers to it and has neither tag nor lock. False where nothing was. */
  deleteManifest(
    key: RepositoryKey,
    digest: Digest,
    deletion: Deletion,
    occasion?: Occasion,
  ): Promise<boolean>
  deleteTag(
    key: RepositoryKey,
    tag: string,
    deletion: Deletion,
    occasion?: Occasion,
  ): Promise<boolean>
  /** What was deleted; undefined where nothing was. */
  deleteRepository(
    key: RepositoryKey,
    deletion: Deletion,
    occasion?: Occasion,
  ): Promise<DeletedRepository | undefined>
  deleteRegistry(registry: string): Promise<void>
  /** @throws OciError MANIFEST_UNKNOWN, CONFLICT, TAG_STAYS */
  restoreManifest(restoration: Restoration): Promise<void>
  /** Sets what `change` names, at least one. False where there is no such thing. */
  changeAttributes(
    key: RepositoryKey,
    holder: AttributeHolder,
    change: Partial<Attributes>,
  ): Promise<boolean>
}

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
  blobs: Pick<BlobStore, 'has'>,
  queued: () => void = () => {},
  recorder: ChangeRecorder = NO_RECORDER,
): ContentWriter {
  const changes = createChangeTeller(recorder)
  const inTransaction = createSharedTransactions(database)
  const now = () => clock.now().toISOString()

  // Layers of many pushes at once share one statement as well.
  const link = inBatches<BlobLink, boolean>(async (links) => {
    const { missing, isQueued } = await inTransaction((transaction) =>
      linkBlobs(transaction, clock, blobs, links),
    )
    if (isQueued) queued()
    return links.map(({ digest }) => !missing.has(digest))
  })

  return {
    linkBlob: (key, digest, size) => link({ key, digest, size }),

    renewBlob: ({ registry, repository }, digest) =>
      inTransaction(async (transaction) => {
        await transaction
          .updateTable('registry_blob_reviews')
          .set({ since: now() })
          .where('registry', '=', registry)
          .where('repository', '=', repository)
          .where('digest', '=', digest)
          .execute()
        const row = await transaction
          .selectFrom('registry_blob_links')
          .where('registry', '=', registry)
          .where('repository', '=', repository)
          .where('digest', '=', digest)
          .select('digest')
          .executeTakeFirst()
        return row !== undefined
      }),

    unlinkBlob: (key, digest, occasion) =>
      inTransaction(async (transaction) => {
        await requireDeletableContent(transaction, key, digest)
        const those = { ...key, digest }
        if ((await unlinkBlobs(transaction, those, 'blob-deleted', now())) === 0) return false
        await changes.told(transaction, { ...DELETED, ...those }, occasion)
        return true
      }),

    putManifest: (push, occasion) =>
      inTransaction(async (transaction) => {
        await requirePushable(transaction, push)
        if (await isKept(transaction, push, push.digest)) throw deletedManifest(push.digest)
        const manifest = await checkReferences(transaction, push)
        await storeManifest(transaction, clock, { ...push, manifest })
        await changes.pushed(transaction, { ...push, manifest }, 'Push', occasion)
      }),

    deleteManifest: (key, digest, deletion, occasion) =>
      inTransaction(async (transaction) => {
        // What refers to it goes with it.
        const gone: Departing[] = []
        const leaving = async (each: string) => {
          const departed = occasion && (await departing(transaction, key, each))
          if (departed) gone.push(departed)
        }
        const isDeleted = await deleteManifest(transaction, clock, key, digest, deletion, leaving)
        for (const each of gone) {
          await changes.told(transaction, { ...DELETED, ...key, ...each }, occasion)
        }
        return isDeleted
      }),

    deleteTag: (key, tag, deletion, occasion) =>
      inTransaction(async (transaction) => {
        const digest = occasion && (await digestOfTag(transaction, key, tag))
        const isDeleted = await deleteTag(transaction, clock, key, tag, deletion)
        if (digest !== undefined) {
          await changes.told(transaction, { ...UNTAGGED, ...key, tag, digest }, occasion)
        }
        return isDeleted
      }),

    deleteRepository: (key, deletion, occasion) =>
      inTransaction(async (transaction) => {
        const deleted = await deleteRepository(transaction, clock, key, deletion)
        if (!deleted) return undefined
        const change = { ...DELETED, ...key, formerTags: deleted.tags }
        await changes.told(transaction, change, occasion)
        return deleted
      }),

    deleteRegistry: (registry) =>
      inTransaction((transaction) => deleteRegistry(transaction, clock, registry)),

    restoreManifest: (restoration) =>
      inTransaction((transaction) => restoreManifest(transaction, clock, restoration)),

    changeAttributes: (key, holder, change) => changeAttributes(database, key, holder, change),
  }
}

const deletedManifest = (digest: Digest): OciError =>
  new OciError(
    'CONFLICT',
    { digest },
    {
      message: `the manifest ${digest} is deleted: restore it ('az acr manifest restore') instead of pushing it`,
    },
  )

export interface BlobLink {
  readonly key: RepositoryKey
  readonly digest: Digest
  readonly size: number
}

/** What became of blobs that were to be linked. */
export interface Linked {
  /** The store does not have them: these are seen nowhere. */
  readonly missing: ReadonlySet<Digest>
  /** Replicas are to get some of the others. */
  readonly isQueued: boolean
}

/**
 * Lets blobs that are stored be seen in repositories. Transactions come one after the other, and the garbage collector
 * takes files away in one of its own: what is there here stays.
 */
export async function linkBlobs(
  transaction: RegistryTransaction,
  clock: Clock,
  blobs: Pick<BlobStore, 'has'>,
  links: readonly BlobLink[],
): Promise<Linked> {
  const digests = [...new Set(links.map(({ digest }) => digest))]
  const isThere = await Promise.all(digests.map((digest) => blobs.has(digest)))
  const missing = new Set(digests.filter((_, index) => !isThere[index]))
  const found = links.filter(({ digest }) => !missing.has(digest))
  if (found.length === 0) return { missing, isQueued: false }
  const created_at = clock.now().toISOString()
  const rows = found.map(({ key: { registry, repository }, digest, size }) => ({
    registry,
    repository,
    digest,
    size,
    created_at,
  }))
  await transaction
    .insertInto('registry_blob_links')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await reviewBlobs(transaction, rows, 'unused', created_at)
  await transaction
    .deleteFrom('registry_damaged_blobs')
    .where(
      'digest',
      'in',
      rows.map((row) => row.digest),
    )
    .execute()
  return { missing, isQueued: await queueForReplicas(transaction, clock, rows) }
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
  const blobs = distinct(manifest.blobs)
  const children = [
    ...blobs.map((child) => ({ child, child_kind: 'blob' as const })),
    ...distinct(manifest.manifests).map((child) => ({ child, child_kind: 'manifest' as const })),
  ]
  if (children.length > 0) {
    await transaction
      .insertInto('registry_manifest_references')
      .values(children.map((child) => ({ registry, repository, digest, ...child })))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    await endReviews(transaction, push, blobs)
  }
  for (const name of push.tags) {
    const before = await transaction
      .selectFrom('registry_tags')
      .where('registry', '=', registry)
      .where('repository', '=', repository)
      .where('name', '=', name)
      .select('digest')
      .executeTakeFirst()
    await transaction
      .insertInto('registry_tags')
      .values({ registry, repository, name, digest, created_at: now, updated_at: now })
      .onConflict((conflict) =>
        conflict
          .columns(['registry', 'repository', 'name'])
          .doUpdateSet({ digest, updated_at: now }),
      )
      .execute()
    if (before && before.digest !== digest) {
      await noteIfUntagged(transaction, push, before.digest, now)
    }
  }
  if (push.tags.length > 0) await forgetUntagged(transaction, push, digest)
  else await noteIfUntagged(transaction, push, digest, now)
}

const distinct = (descriptors: readonly { readonly digest: Digest }[]): readonly Digest[] => [
  ...new Set(descriptors.map((each) => each.digest)),
]
