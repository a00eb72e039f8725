import { type Kysely, sql, type Transaction } from 'kysely'
import type { Tables } from '../../storage/tables.ts'
import { HOME } from '../replicas/home.ts'
import { queueCopies } from '../replicas/queue-copies.ts'

/** `mismatch`: it has other bytes, or bytes that cannot be read; `missing`: there are none. */
export type DamageKind = 'mismatch' | 'missing'

/** A blob where it is not whole. */
export interface Damage {
  /** `home`, or the region of replicas. */
  readonly region: string
  readonly digest: string
  readonly kind: DamageKind
}

/**
 * Notes that a region has a blob not whole, and queues it for a region of replicas again. Of a damaged home clients are told
 * until it is repaired. To be called in the transaction that has made sure of it.
 */
export async function noteDamage(
  transaction: Transaction<Tables>,
  { region, digest, kind }: Damage,
  found_at: string,
): Promise<void> {
  if (region === HOME) {
    await transaction
      .insertInto('registry_damaged_blobs')
      .values({ digest, kind, found_at })
      .onConflict((conflict) =>
        // What was set aside once stays what was found.
        kind === 'mismatch' ? conflict.doUpdateSet({ kind, found_at }) : conflict.doNothing(),
      )
      .execute()
    return
  }
  await transaction
    .insertInto('registry_damaged_copies')
    .values({ region, digest, kind, found_at })
    .onConflict((conflict) => conflict.doUpdateSet({ kind, found_at }))
    .execute()
  await queueCopies(transaction, region, digest, found_at)
}

/** Notes that a region has a blob whole again, where it was known to have it not. */
export async function noteRepaired(
  transaction: Kysely<Tables>,
  region: string,
  digest: string,
  repaired_at: string,
): Promise<void> {
  const { rows } =
    region === HOME
      ? await sql<Found>`DELETE FROM registry_damaged_blobs WHERE digest = ${digest}
          RETURNING kind, found_at`.execute(transaction)
      : await sql<Found>`DELETE FROM registry_damaged_copies
          WHERE region = ${region} AND digest = ${digest} RETURNING kind, found_at`.execute(
          transaction,
        )
  const [damage] = rows
  if (!damage) return
  const repaired = { ...damage, repaired_at }
  await transaction
    .insertInto('registry_repaired_blobs')
    .values({ region, digest, ...repaired })
    .onConflict((conflict) => conflict.columns(['region', 'digest']).doUpdateSet(repaired))
    .execute()
}

interface Found {
  readonly kind: DamageKind
  readonly found_at: string
}
