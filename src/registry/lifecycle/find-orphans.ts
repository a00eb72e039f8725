import type { Kysely } from 'kysely'
import type { BlobStore, StoredBlob } from '../../storage/blob-store.ts'
import type { Tables } from '../../storage/tables.ts'

const BATCH = 500

export interface SweepPorts {
  readonly database: Kysely<Tables>
  readonly blobs: Pick<BlobStore, 'list'>
  readonly signal: AbortSignal
}

/**
 * Blobs of the store that no row tells of, as a process leaves them that ends between the two: by comparing what the
 * store lists with the database, so many at a time. Those that came after `until` may still get their row.
 */
export async function* findOrphans(
  { database, blobs, signal }: SweepPorts,
  until: Date,
): AsyncIterable<readonly StoredBlob[]> {
  let batch: StoredBlob[] = []
  for await (const blob of blobs.list()) {
    if (blob.storedAt > until) continue
    batch.push(blob)
    if (batch.length < BATCH) continue
    signal.throwIfAborted()
    yield await unknownOf(database, batch)
    batch = []
  }
  if (batch.length > 0) yield await unknownOf(database, batch)
}

/** Leaves those blobs to the removals. Returns how many. */
export async function queueOrphans(ports: SweepPorts, until: Date): Promise<number> {
  let found = 0
  for await (const orphans of findOrphans(ports, until)) {
    if (orphans.length === 0) continue
    found += orphans.length
    await ports.database
      .insertInto('registry_blob_removals')
      .values(
        orphans.map(({ digest, size, storedAt }) => ({
          digest,
          size,
          reason: 'no-owner' as const,
          since: storedAt.toISOString(),
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  return found
}

async function unknownOf(
  database: Kysely<Tables>,
  batch: readonly StoredBlob[],
): Promise<readonly StoredBlob[]> {
  const digests = batch.map(({ digest }) => digest)
  const known = new Set<string>()
  for (const table of ['registry_blob_links', 'registry_blob_removals'] as const) {
    const rows = await database
      .selectFrom(table)
      .where('digest', 'in', digests)
      .select('digest')
      .distinct()
      .execute()
    for (const { digest } of rows) known.add(digest)
  }
  return batch.filter(({ digest }) => !known.has(digest))
}
