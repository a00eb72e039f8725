import { sql, type Transaction } from 'kysely'
import type { Tables } from '../../storage/tables.ts'

/** Queues a blob for a region that has it not whole, for every registry that has it there; at once, where it waits already. */
export async function queueCopies(
  transaction: Transaction<Tables>,
  region: string,
  digest: string,
  at: string,
): Promise<void> {
  await sql`INSERT INTO registry_replica_queue (registry, region, digest, size, queued_at, due_at, attempts)
    SELECT l.registry, r.region, l.digest, max(l.size), ${at}, ${at}, 0 FROM registry_blob_links l
    JOIN registry_replicas r ON r.registry = l.registry
    WHERE l.digest = ${digest} AND r.region = ${region} GROUP BY l.registry
    ON CONFLICT DO UPDATE SET due_at = min(due_at, excluded.due_at)`.execute(transaction)
}
