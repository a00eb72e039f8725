import type { DatabaseSync } from 'node:sqlite'
import { type Kysely, sql } from 'kysely'

/** What a database tells of itself, whichever version wrote it. */
export interface SchemaRecord {
  /** Names of the migrations that it has been through, in order. */
  readonly migrations: readonly string[]
  /** The version of Causeway that wrote it last. */
  readonly version: string
  /** False where that version kept no record yet. */
  readonly isNoted: boolean
}

// It kept no record of versions yet.
const FIRST_VERSION = '0.1.0'

/** Reads the record; nothing is written. Undefined for a database in which nothing is yet. */
export function readSchemaRecord(database: DatabaseSync): SchemaRecord | undefined {
  if (!hasTable(database, 'kysely_migration')) return undefined
  const migrations = database
    .prepare('SELECT name FROM kysely_migration ORDER BY name')
    .all()
    .map(({ name }) => String(name))
  if (migrations.length === 0) return undefined
  const writer = hasTable(database, 'schema_writers')
    ? database.prepare('SELECT version FROM schema_writers ORDER BY rowid DESC LIMIT 1').get()
    : undefined
  return {
    migrations,
    version: String(writer?.version ?? FIRST_VERSION),
    isNoted: writer !== undefined,
  }
}

/**
 * Notes which version writes from now on. The table is no migration's, as little as their own is: any version must be
 * able to read it.
 */
export async function noteWriter<T>(kysely: Kysely<T>, version: string, now: Date): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS schema_writers (version TEXT NOT NULL, since TEXT NOT NULL)`.execute(
    kysely,
  )
  await sql`INSERT INTO schema_writers VALUES (${version}, ${now.toISOString()})`.execute(kysely)
}

/** The number at the beginning of the last migration's name. */
export const schemaNumber = (migrations: readonly string[]): number =>
  Number.parseInt(migrations.at(-1) ?? '0', 10)

const hasTable = (database: DatabaseSync, name: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !==
  undefined
