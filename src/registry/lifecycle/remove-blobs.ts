import { type Kysely, sql } from 'kysely'
import { type Digest, isDigest } from '../../lib/digest.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { RemovalReason } from '../../storage/registry-tables.ts'
import type { RemovalLock } from '../../storage/removal-lock.ts'
import type { Tables } from '../../storage/tables.ts'
import { ownerOf } from '../content/needed-blobs.ts'
import { type CopyPorts, removeCopies } from './remove-copies.ts'

/** Files of one transaction: moving one takes microseconds. */
const BATCH = 50

/** A blob that no repository has. */
export interface UnownedBlob {
  readonly digest: string
  readonly size: number
  readonly reason: RemovalReason
  readonly since: string
}

/** Blobs that are to be removed and that no repository has; the oldest first. */
export async function unownedBlobs(
  database: Kysely<Tables>,
  options: { readonly until: string; readonly limit: number },
): Promise<readonly UnownedBlob[]> {
  const { rows } = await sql<UnownedBlob>`
    SELECT v.digest, v.size, v.reason, v.since FROM registry_blob_removals v
    WHERE v.since <= ${options.until} AND NOT EXISTS (
      SELECT 1 FROM registry_blob_links l WHERE l.digest = v.digest)
    ORDER BY v.since LIMIT ${options.limit}`.execute(database)
  return rows
}

/** What was removed; `held`: nothing more, because somebody copies the data folder. */
export interface Removed {
  readonly blobs: number
  readonly bytes: number
  /** In further regions. */
  readonly copies: number
  readonly held: boolean
}

export interface RemovalPorts extends CopyPorts {
  readonly blobs: BlobStore
  readonly lock: RemovalLock
}

/**
 * Removes the files that are due, unless a repository has them again. The look and the removal are one transaction, as are
 * the look for the file and the row of whoever links it: of the two the first wins. A removal that was
 * begun when the process ended is begun again.
 */
export async function removeDueBlobs(ports: RemovalPorts, until: string): Promise<Removed> {
  const { database, blobs, lock, signal } = ports
  let [count, bytes, copies] = [0, 0, 0]
  for (;;) {
    signal.throwIfAborted()
    const removed = await lock.whileHeld(() => removeBatch(database, blobs, until))
    if (!removed) return { blobs: count, bytes, copies, held: true }
    await blobs.reclaim()
    // A region gives out what it has: after the home, so that a process that ends in between leaves them to the sweep.
    copies += await removeCopies(
      ports,
      removed.gone.map(({ digest }) => digest),
    )
    for (const { size } of removed.gone) {
      count += 1
      bytes += size
    }
    if (removed.isLast) return { blobs: count, bytes, copies, held: false }
  }
}

const removeBatch = (database: Kysely<Tables>, blobs: BlobStore, until: string) =>
  database.transaction().execute(async (transaction) => {
    const due = await transaction
      .selectFrom('registry_blob_removals')
      .where('since', '<=', until)
      .orderBy('since')
      .limit(BATCH)
      .select(['digest', 'size'])
      .execute()
    const gone: { readonly digest: Digest; readonly size: number }[] = []
    for (const { digest, size } of due) {
      if (isDigest(digest) && !(await ownerOf(transaction, digest))) {
        await blobs.remove(digest)
        await transaction
          .deleteFrom('registry_damaged_blobs')
          .where('digest', '=', digest)
          .execute()
        gone.push({ digest, size })
      }
      await transaction.deleteFrom('registry_blob_removals').where('digest', '=', digest).execute()
    }
    return { gone, isLast: due.length < BATCH }
  })
