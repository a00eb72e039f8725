import type { Kysely } from 'kysely'
import type { Digest } from '../../lib/digest.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { ReplicaStores } from '../../storage/replica-stores.ts'
import type { Tables } from '../../storage/tables.ts'
import { neededIn } from '../content/needed-blobs.ts'

const BATCH = 100

export interface CopyPorts {
  readonly database: Kysely<Tables>
  readonly replicas: ReplicaStores
  /** Is told why the store of a region cannot be used; the others are. */
  readonly report: (region: string, error: unknown) => void
  readonly signal: AbortSignal
}

/** Removes the copies of these blobs from the regions that do not need them. Returns how many there were. */
export const removeCopies = (ports: CopyPorts, digests: readonly Digest[]): Promise<number> =>
  inEachRegion(ports, async (region, store) => {
    if (digests.length === 0) return 0
    return removeUnneeded(ports, region, store, digests)
  })

/**
 * Removes what the stores of regions have and no registry with a replica there needs: a replica may be gone, and a copy may
 * have come after its blob had gone. Returns how many there were.
 */
export const sweepCopies = (ports: CopyPorts, until: Date): Promise<number> =>
  inEachRegion(ports, async (region, store) => {
    let removed = 0
    let batch: Digest[] = []
    for await (const { digest, storedAt } of store.list()) {
      if (storedAt > until) continue
      batch.push(digest)
      if (batch.length < BATCH) continue
      removed += await removeUnneeded(ports, region, store, batch)
      batch = []
    }
    return removed + (await removeUnneeded(ports, region, store, batch))
  })

async function inEachRegion(
  { replicas, report, signal }: CopyPorts,
  remove: (region: string, store: BlobStore) => Promise<number>,
): Promise<number> {
  let removed = 0
  for (const region of await replicas.regions()) {
    signal.throwIfAborted()
    try {
      const store = await replicas.store(region)
      removed += await remove(region, store)
      await store.reclaim()
    } catch (error) {
      signal.throwIfAborted()
      report(region, error)
    }
  }
  return removed
}

/** In one transaction, so that nobody begins to need them meanwhile. */
const removeUnneeded = (
  { database, signal }: CopyPorts,
  region: string,
  store: BlobStore,
  digests: readonly Digest[],
): Promise<number> =>
  database.transaction().execute(async (transaction) => {
    signal.throwIfAborted()
    if (digests.length === 0) return 0
    const needed = await neededIn(transaction, region, digests)
    let removed = 0
    for (const digest of digests) {
      if (needed.has(digest)) continue
      if (await store.has(digest)) removed += 1
      // Also what was set aside of it.
      await store.remove(digest)
      await transaction
        .deleteFrom('registry_damaged_copies')
        .where('region', '=', region)
        .where('digest', '=', digest)
        .execute()
    }
    return removed
  })
