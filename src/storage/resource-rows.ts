import type { Kysely } from 'kysely'
import type { ResourcesTable } from './resource-tables.ts'
import type { Tables } from './tables.ts'

/** A resource as the store keeps it. `systemData` and `properties` are whatever was written. */
export interface ResourceRow<SystemData = unknown> {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly location?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly top: Readonly<Record<string, unknown>>
  readonly properties: Record<string, unknown>
  readonly etag: string
  readonly systemData: SystemData
}

/** Keys are ids in lower case. Rows come ordered by key. */
export interface ResourceRows<SystemData = unknown> {
  byKey(key: string): Promise<ResourceRow<SystemData> | undefined>
  byParent(parentKey: string, type: string): Promise<readonly ResourceRow<SystemData>[]>
  countByParent(parentKey: string, type: string): Promise<number>
  byType(type: string, belowKey?: string): Promise<readonly ResourceRow<SystemData>[]>
  /** Everything whose key begins with `<key>/`. */
  below(key: string): Promise<readonly ResourceRow<SystemData>[]>
  childKeys(parentKey: string, types: readonly string[]): Promise<readonly string[]>
  referrers(
    targetKey: string,
    type: string,
    atMost?: number,
  ): Promise<readonly ResourceRow<SystemData>[]>
  referrerKeys(targetKeys: readonly string[], types: readonly string[]): Promise<readonly string[]>
  write(
    row: ResourceRow<SystemData>,
    parentKey: string,
    targetKeys: readonly string[],
  ): Promise<void>
  remove(key: string): Promise<void>
}

/** The resources as seen through one connection or one transaction. */
export function resourceRows<SystemData>(kysely: Kysely<Tables>): ResourceRows<SystemData> {
  const all = kysely.selectFrom('resources').selectAll('resources').orderBy('resources.key')
  return {
    async byKey(key) {
      const row = await all.where('key', '=', key).executeTakeFirst()
      return row && parse(row)
    },
    async byParent(parentKey, type) {
      const rows = await all.where('parent_key', '=', parentKey).where('type', '=', type).execute()
      return rows.map(parse<SystemData>)
    },
    async countByParent(parentKey, type) {
      const { count } = await kysely
        .selectFrom('resources')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('parent_key', '=', parentKey)
        .where('type', '=', type)
        .executeTakeFirstOrThrow()
      return count
    },
    async byType(type, belowKey) {
      const query = all.where('type', '=', type)
      const rows = await (belowKey === undefined
        ? query
        : query.where('key', '>', `${belowKey}/`).where('key', '<', after(belowKey))
      ).execute()
      return rows.map(parse<SystemData>)
    },
    async below(key) {
      const rows = await all.where('key', '>', `${key}/`).where('key', '<', after(key)).execute()
      return rows.map(parse<SystemData>)
    },
    async childKeys(parentKey, types) {
      const rows = await kysely
        .selectFrom('resources')
        .select('key')
        .where('parent_key', '=', parentKey)
        .where('type', 'in', types)
        .orderBy('key')
        .execute()
      return rows.map((row) => row.key)
    },
    async referrers(targetKey, type, atMost) {
      const query = all
        .innerJoin('resource_references', 'source_key', 'resources.key')
        .where('target_key', '=', targetKey)
        .where('type', '=', type)
      const rows = await (atMost === undefined ? query : query.limit(atMost)).execute()
      return rows.map(parse<SystemData>)
    },
    async referrerKeys(targetKeys, types) {
      const rows = await kysely
        .selectFrom('resource_references')
        .innerJoin('resources', 'resources.key', 'source_key')
        .select('source_key')
        .distinct()
        .where('target_key', 'in', targetKeys)
        .where('type', 'in', types)
        .orderBy('source_key')
        .execute()
      return rows.map((row) => row.source_key)
    },
    async write(row, parentKey, targetKeys) {
      const values = serialise(row, parentKey)
      const { key, ...changed } = values
      await kysely
        .insertInto('resources')
        .values(values)
        .onConflict((conflict) => conflict.column('key').doUpdateSet(changed))
        .execute()
      await kysely.deleteFrom('resource_references').where('source_key', '=', key).execute()
      const targets = [...new Set(targetKeys)]
      if (targets.length === 0) return
      await kysely
        .insertInto('resource_references')
        .values(targets.map((target) => ({ source_key: key, target_key: target })))
        .execute()
    },
    async remove(key) {
      await kysely.deleteFrom('resources').where('key', '=', key).execute()
    },
  }
}

// `0` follows `/` in the code table, so `<key>0` is the first key that no longer begins with `<key>/`.
const after = (key: string) => `${key}0`

function serialise(row: ResourceRow, parentKey: string): ResourcesTable {
  return {
    key: row.id.toLowerCase(),
    id: row.id,
    type: row.type,
    name: row.name,
    parent_key: parentKey,
    location: row.location ?? null,
    tags: row.tags ? JSON.stringify(row.tags) : null,
    top: JSON.stringify(row.top),
    properties: JSON.stringify(row.properties),
    etag: row.etag,
    system_data: JSON.stringify(row.systemData),
  }
}

function parse<SystemData>(row: ResourcesTable): ResourceRow<SystemData> {
  return {
    id: row.id,
    type: row.type,
    name: row.name,
    ...(row.location !== null && { location: row.location }),
    ...(row.tags !== null && { tags: JSON.parse(row.tags) }),
    top: JSON.parse(row.top),
    properties: JSON.parse(row.properties),
    etag: row.etag,
    systemData: JSON.parse(row.system_data),
  }
}
