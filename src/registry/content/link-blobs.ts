import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import { queueForReplicas } from '../replicas/replica-queue.ts'
import { reviewBlobs } from './blob-queues.ts'
import type { RegistryTransaction, RepositoryKey } from './repository-key.ts'

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
