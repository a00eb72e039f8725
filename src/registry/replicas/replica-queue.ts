import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import type { Tables } from '../../storage/tables.ts'
import { noteRepaired } from '../mending/damage.ts'
import { forgetUnneeded } from '../mending/known-damage.ts'

/** A region of a registry other than its home. */
export interface ReplicaKey {
  /** The registry's uid. */
  readonly registry: string
  readonly region: string
}

export interface QueuedBlob extends ReplicaKey {
  readonly digest: Digest
  readonly size: number
  /** Copies that have failed so far. */
  readonly attempts: number
}

/** How far a replica is behind. */
export interface ReplicaState {
  readonly pendingBlobs: number
  readonly pendingBytes: number
  /** Since when the oldest waits; where none does, since when the replica has been in step. */
  readonly since: string
  readonly lastError: string | undefined
}

/** What regions are still to get; every change is durable when it resolves. */
export interface ReplicaQueue {
  /** Makes the replicas be these: all blobs of a new one are queued, what a removed one waited for is forgotten. */
  keep(replicas: readonly ReplicaKey[]): Promise<void>
  /** Those that may be copied now, the oldest first. */
  due(limit: number): Promise<readonly QueuedBlob[]>
  /** When the next of the others is due; undefined where nothing waits. */
  nextDue(): Promise<Date | undefined>
  /** It waits no more: the region has it, or nobody wants it there. */
  done(blob: QueuedBlob, outcome: 'copied' | 'unwanted'): Promise<void>
  /** Whether the registry still has the blob. */
  isWanted(blob: QueuedBlob): Promise<boolean>
  failed(blob: QueuedBlob, reason: string, dueAt: Date): Promise<void>
  /** Queues a blob that its region was found to lack, or moves it to the front. */
  hasten(key: ReplicaKey, digest: Digest, size: number): Promise<void>
  /** Undefined where there is no such replica. */
  state(key: ReplicaKey): Promise<ReplicaState | undefined>
}

export function createReplicaQueue(database: Kysely<Tables>, clock: Clock): ReplicaQueue {
  const now = () => clock.now().toISOString()
  const inTransaction = <T>(work: (transaction: Transaction<Tables>) => Promise<T>) =>
    database.transaction().execute(work)

  const add = (transaction: Transaction<Tables>, { registry, region }: ReplicaKey) =>
    transaction
      .insertInto('registry_replica_queue')
      .columns(['registry', 'region', 'digest', 'size', 'queued_at', 'due_at', 'attempts'])
      .expression((from) =>
        from
          .selectFrom('registry_blob_links')
          .where('registry', '=', registry)
          .select(({ val }) => [
            'registry',
            val(region).as('region'),
            'digest',
            'size',
            val(now()).as('queued_at'),
            val(now()).as('due_at'),
            val(0).as('attempts'),
          ])
          .distinct(),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute()

  async function remove(
    transaction: Transaction<Tables>,
    { registry, region }: ReplicaKey,
  ): Promise<void> {
    for (const table of ['registry_replica_queue', 'registry_replicas'] as const) {
      await transaction
        .deleteFrom(table)
        .where('registry', '=', registry)
        .where('region', '=', region)
        .execute()
    }
  }

  const entry = ({ registry, region, digest }: Omit<QueuedBlob, 'attempts' | 'size'>) =>
    database
      .selectFrom('registry_replica_queue')
      .where('registry', '=', registry)
      .where('region', '=', region)
      .where('digest', '=', digest)

  return {
    keep: (replicas) =>
      inTransaction(async (transaction) => {
        const known = await transaction
          .selectFrom('registry_replicas')
          .select(['registry', 'region'])
          .execute()
        const isIn = (list: readonly ReplicaKey[], { registry, region }: ReplicaKey) =>
          list.some((each) => each.registry === registry && each.region === region)
        for (const gone of known.filter((each) => !isIn(replicas, each))) {
          await remove(transaction, gone)
        }
        await forgetUnneeded(transaction)
        for (const key of replicas.filter((each) => !isIn(known, each))) {
          await transaction
            .insertInto('registry_replicas')
            .values({ ...key, in_step_since: now() })
            .execute()
          await add(transaction, key)
        }
      }),

    async due(limit) {
      const rows = await database
        .selectFrom('registry_replica_queue')
        .where('due_at', '<=', now())
        .orderBy('due_at')
        .limit(limit)
        .select(['registry', 'region', 'digest', 'size', 'attempts'])
        .execute()
      return rows as QueuedBlob[]
    },

    async nextDue() {
      const row = await database
        .selectFrom('registry_replica_queue')
        .select(({ fn }) => fn.min('due_at').as('due'))
        .executeTakeFirst()
      return row?.due ? new Date(row.due) : undefined
    },

    async isWanted({ registry, digest }) {
      const row = await database
        .selectFrom('registry_blob_links')
        .where('digest', '=', digest)
        .where('registry', '=', registry)
        .select('digest')
        .limit(1)
        .executeTakeFirst()
      return row !== undefined
    },

    done: (blob, outcome) =>
      inTransaction(async (transaction) => {
        if (outcome === 'copied') {
          await noteRepaired(transaction, blob.region, blob.digest, now())
        }
        await transaction
          .deleteFrom('registry_replica_queue')
          .where('registry', '=', blob.registry)
          .where('region', '=', blob.region)
          .where('digest', '=', blob.digest)
          .execute()
        await transaction
          .updateTable('registry_replicas')
          .set({ in_step_since: now() })
          .where('registry', '=', blob.registry)
          .where('region', '=', blob.region)
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom('registry_replica_queue')
                  .where('registry', '=', blob.registry)
                  .where('region', '=', blob.region)
                  .select('digest'),
              ),
            ),
          )
          .execute()
      }),

    async failed(blob, reason, dueAt) {
      await database
        .updateTable('registry_replica_queue')
        .set({
          attempts: blob.attempts + 1,
          last_error: reason,
          due_at: dueAt.toISOString(),
        })
        .where('registry', '=', blob.registry)
        .where('region', '=', blob.region)
        .where('digest', '=', blob.digest)
        .execute()
    },

    async hasten({ registry, region }, digest, size) {
      const known = await entry({ registry, region, digest }).select('due_at').executeTakeFirst()
      if (known && known.due_at <= now()) return
      await database
        .insertInto('registry_replica_queue')
        .values({
          ...{ registry, region, digest, size, attempts: 0 },
          ...{ queued_at: now(), due_at: now(), last_error: null },
        })
        .onConflict((conflict) =>
          conflict.columns(['registry', 'region', 'digest']).doUpdateSet({ due_at: now() }),
        )
        .execute()
    },

    async state({ registry, region }) {
      const replica = await database
        .selectFrom('registry_replicas')
        .where('registry', '=', registry)
        .where('region', '=', region)
        .select('in_step_since')
        .executeTakeFirst()
      if (!replica) return undefined
      const waiting = () =>
        database
          .selectFrom('registry_replica_queue')
          .where('registry', '=', registry)
          .where('region', '=', region)
      const { count, bytes, oldest } = await waiting()
        .select(({ fn }) => [
          fn.countAll<number>().as('count'),
          fn.sum<number | null>('size').as('bytes'),
          fn.min('queued_at').as('oldest'),
        ])
        .executeTakeFirstOrThrow()
      const failed = await waiting()
        .where('last_error', 'is not', null)
        .orderBy('due_at', 'desc')
        .select('last_error')
        .executeTakeFirst()
      return {
        pendingBlobs: Number(count),
        pendingBytes: Number(bytes ?? 0),
        since: oldest ?? replica.in_step_since,
        lastError: failed?.last_error ?? undefined,
      }
    },
  }
}

/** Queues blobs for all replicas of their registries, in the transaction that lets them be seen. Returns whether there are any. */
export async function queueForReplicas(
  transaction: Transaction<Tables>,
  clock: Clock,
  blobs: readonly { readonly registry: string; readonly digest: string; readonly size: number }[],
): Promise<boolean> {
  const registries = [...new Set(blobs.map(({ registry }) => registry))]
  const replicas = await transaction
    .selectFrom('registry_replicas')
    .where('registry', 'in', registries)
    .select(['registry', 'region'])
    .execute()
  const at = clock.now().toISOString()
  const rows = replicas.flatMap(({ registry, region }) =>
    blobs
      .filter((blob) => blob.registry === registry)
      .map(({ digest, size }) => ({
        ...{ registry, region, digest, size, attempts: 0 },
        ...{ queued_at: at, due_at: at, last_error: null },
      })),
  )
  if (rows.length === 0) return false
  await transaction
    .insertInto('registry_replica_queue')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return true
}
