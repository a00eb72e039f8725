import type { Database } from '../../storage/database.ts'
import type { StoredContent } from './usages.ts'

/** Reckons a registry's content from the metadata store: a blob counts once, in however many repositories it is. */
export const createStoredContent = ({ kysely }: Pick<Database, 'kysely'>): StoredContent => ({
  async storedBytes(registryUid) {
    const blobs = kysely
      .selectFrom('registry_blob_links')
      .select(['digest', 'size'])
      .where('registry', '=', registryUid)
      .distinct()
      .as('blobs')
    const row = await kysely
      .selectFrom(blobs)
      .select(({ fn }) => fn.sum<number | null>('blobs.size').as('bytes'))
      .executeTakeFirst()
    return Number(row?.bytes ?? 0)
  },
})
