import type { Kysely } from 'kysely'
import type { Digest } from '../../lib/digest.ts'
import type { Tables } from '../../storage/tables.ts'
import type { RepositoryKey } from './repository-key.ts'

/**
 * What may be done with a repository, a tag or a manifest. Each has its own; what they mean together is in `locks.ts`.
 * In the service's words and order: https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
 */
export interface Attributes {
  readonly deleteEnabled: boolean
  readonly writeEnabled: boolean
  readonly readEnabled: boolean
  /** Whether lists show it. It is found by its name all the same. */
  readonly listEnabled: boolean
}

/** What has attributes. */
export type AttributeHolder =
  | { readonly kind: 'repository' }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'manifest'; readonly digest: Digest }

export interface WithAttributes {
  readonly attributes: Attributes
}

/** The columns of {@link AttributeFlags}. */
export const ATTRIBUTE_COLUMNS =
  'delete_enabled AS deleteEnabled, write_enabled AS writeEnabled, read_enabled AS readEnabled, list_enabled AS listEnabled'

/** As a row of the database has them: 1 for yes. */
type AttributeFlags = Readonly<Record<keyof Attributes, number>>

/** A row whose attributes are still flags. */
export type Flagged<T extends WithAttributes> = Omit<T, 'attributes'> & AttributeFlags

export function withAttributes<T extends AttributeFlags>(row: T): T & WithAttributes {
  const attributes = {
    deleteEnabled: row.deleteEnabled === 1,
    writeEnabled: row.writeEnabled === 1,
    readEnabled: row.readEnabled === 1,
    listEnabled: row.listEnabled === 1,
  }
  return { ...row, attributes }
}

/** A row whose `readEnabled` is still a flag. */
export type Readable<T> = Omit<T, 'readEnabled'> & { readonly readEnabled: number }

export const withReadEnabled = <T extends { readonly readEnabled: number }>(row: T) => ({
  ...row,
  readEnabled: row.readEnabled === 1,
})

/**
 * Sets what `change` names, which is at least one. The time of the last update stays, as in the service.
 *
 * @returns false where there is no such thing
 */
export async function changeAttributes(
  database: Kysely<Tables>,
  { registry, repository }: RepositoryKey,
  holder: AttributeHolder,
  change: Partial<Attributes>,
): Promise<boolean> {
  const { numUpdatedRows } = await update().executeTakeFirst()
  return numUpdatedRows > 0

  function update() {
    const set = columnsOf(change)
    switch (holder.kind) {
      case 'repository':
        return database
          .updateTable('registry_repositories')
          .set(set)
          .where('registry', '=', registry)
          .where('name', '=', repository)
      case 'tag':
        return database
          .updateTable('registry_tags')
          .set(set)
          .where('registry', '=', registry)
          .where('repository', '=', repository)
          .where('name', '=', holder.tag)
      case 'manifest':
        return database
          .updateTable('registry_manifests')
          .set(set)
          .where('registry', '=', registry)
          .where('repository', '=', repository)
          .where('digest', '=', holder.digest)
    }
  }
}

function columnsOf({ deleteEnabled, writeEnabled, readEnabled, listEnabled }: Partial<Attributes>) {
  const flag = (value: boolean): 0 | 1 => (value ? 1 : 0)
  return {
    ...(deleteEnabled !== undefined && { delete_enabled: flag(deleteEnabled) }),
    ...(writeEnabled !== undefined && { write_enabled: flag(writeEnabled) }),
    ...(readEnabled !== undefined && { read_enabled: flag(readEnabled) }),
    ...(listEnabled !== undefined && { list_enabled: flag(listEnabled) }),
  } as const
}
