import type { Kysely } from 'kysely'
import type { Digest } from '../../lib/digest.ts'
import type { Tables } from '../../storage/tables.ts'

/** A registry that has the blob, whichever; undefined where none has. */
export async function ownerOf(kysely: Kysely<Tables>, digest: Digest): Promise<string | undefined> {
  const row = await kysely
    .selectFrom('registry_blob_links')
    .where('digest', '=', digest)
    .select('registry')
    .limit(1)
    .executeTakeFirst()
  return row?.registry
}

/** Those of the blobs that a registry with a replica in this region has. */
export async function neededIn(
  kysely: Kysely<Tables>,
  region: string,
  digests: readonly Digest[],
): Promise<ReadonlySet<string>> {
  const needed = await kysely
    .selectFrom('registry_blob_links as l')
    .innerJoin('registry_replicas as r', 'r.registry', 'l.registry')
    .where('r.region', '=', region)
    .where('l.digest', 'in', digests)
    .select('l.digest')
    .distinct()
    .execute()
  return new Set(needed.map(({ digest }) => digest))
}
