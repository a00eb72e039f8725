import { type Kysely, sql } from 'kysely'
import type { Tables } from '../../storage/tables.ts'
import type { RepositoryKey } from '../content/repository-key.ts'
import type { DamageKind } from './damage.ts'

/** A blob that is, or was, damaged in a region. */
export interface KnownDamage {
  /** `home`, or the region of replicas. */
  readonly region: string
  readonly digest: string
  readonly kind: DamageKind
  readonly foundAt: string
  /** The repositories that have it there. */
  readonly in: readonly RepositoryKey[]
}

interface DamageRow extends Omit<KnownDamage, 'in'> {
  readonly registry: string | null
  readonly repository: string | null
}

/** Blobs that are damaged now, the home's first; of regions those that a replica needs there. */
export async function damagedEverywhere(database: Kysely<Tables>): Promise<readonly KnownDamage[]> {
  const home = await sql<DamageRow>`
    SELECT 'home' AS region, d.digest, d.kind, d.found_at AS foundAt, l.registry, l.repository
    FROM registry_damaged_blobs d LEFT JOIN registry_blob_links l ON l.digest = d.digest
    ORDER BY d.digest, l.registry, l.repository`.execute(database)
  const copies = await sql<DamageRow>`
    SELECT d.region, d.digest, d.kind, d.found_at AS foundAt, l.registry, l.repository
    FROM registry_damaged_copies d
    JOIN registry_blob_links l ON l.digest = d.digest
    JOIN registry_replicas r ON r.registry = l.registry AND r.region = d.region
    ORDER BY d.region, d.digest, l.registry, l.repository`.execute(database)
  return together([...home.rows, ...copies.rows])
}

/** What was damaged and is whole again, as far as it is not forgotten. */
export async function repairedEverywhere(
  database: Kysely<Tables>,
): Promise<readonly (KnownDamage & { readonly repairedAt: string })[]> {
  const { rows } = await sql<DamageRow & { repairedAt: string }>`
    SELECT d.region, d.digest, d.kind, d.found_at AS foundAt, d.repaired_at AS repairedAt, l.registry, l.repository
    FROM registry_repaired_blobs d LEFT JOIN registry_blob_links l ON l.digest = d.digest
      AND (d.region = 'home' OR EXISTS (
        SELECT 1 FROM registry_replicas r WHERE r.registry = l.registry AND r.region = d.region))
    ORDER BY d.repaired_at, d.region, d.digest, l.registry, l.repository`.execute(database)
  return together(rows)
}

/** Forgets what was repaired before then. */
export async function forgetRepaired(database: Kysely<Tables>, before: string): Promise<void> {
  await database.deleteFrom('registry_repaired_blobs').where('repaired_at', '<', before).execute()
}

/** Forgets what is damaged in regions that do not need it any more. */
export async function forgetUnneeded(database: Kysely<Tables>): Promise<void> {
  await sql`DELETE FROM registry_damaged_copies AS d WHERE NOT EXISTS (
    SELECT 1 FROM registry_blob_links l JOIN registry_replicas r ON r.registry = l.registry
    WHERE l.digest = d.digest AND r.region = d.region)`.execute(database)
}

/** One for each blob of a region, of rows that are one for each repository. */
function together<T extends DamageRow>(rows: readonly T[]) {
  const groups = Map.groupBy(rows, ({ region, digest }) => `${region} ${digest}`)
  return [...groups.values()].flatMap((links) => {
    const [first] = links
    if (!first) return []
    const { registry: _, repository: __, ...damage } = first
    return [{ ...damage, in: links.flatMap(keyOf) }]
  })
}

const keyOf = ({ registry, repository }: DamageRow): readonly RepositoryKey[] =>
  registry === null || repository === null ? [] : [{ registry, repository }]
