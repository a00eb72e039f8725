import type { Kysely } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import { inBatches } from '../../lib/in-batches.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import { createSharedTransactions } from '../../storage/shared-transactions.ts'
import type { Tables } from '../../storage/tables.ts'
import type { Occasion } from '../events/occasion.ts'
import { type ChangeRecorder, NO_RECORDER } from '../events/registry-events.ts'
import { OciError } from '../http/oci-error.ts'
import { type AttributeHolder, type Attributes, changeAttributes } from './attributes.ts'
import { unlinkBlobs } from './blob-queues.ts'
import {
  type DeletedRepository,
  type Deletion,
  deleteManifest,
  deleteRegistry,
  deleteRepository,
  deleteTag,
} from './deletions.ts'
import { type BlobLink, linkBlobs } from './link-blobs.ts'
import { requireDeletableContent, requirePushable } from './locks.ts'
import { createChangeTeller, type Departing, departing, digestOfTag } from './record-changes.ts'
import type { RepositoryKey } from './repository-key.ts'
import { isKept, type Restoration, restoreManifest } from './soft-deletes.ts'
import { checkReferences, type ManifestPush, storeManifest } from './store-manifest.ts'

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
