import type { DatabaseSync } from 'node:sqlite'
import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { CannotStart } from '../lib/cannot-start.ts'
import type { Migrations } from './migrations.ts'
import { noteWriter, readSchemaRecord, type SchemaRecord, schemaNumber } from './schema-record.ts'

/** What is to be done to a database before it can be used. */
export type DueUpgrade =
  | { readonly kind: 'none'; readonly record: SchemaRecord }
  /** Nothing is in it yet. */
  | { readonly kind: 'new' }
  | { readonly kind: 'older'; readonly record: SchemaRecord }

/** An upgrade did not succeed; the database is as it was. */
export class UpgradeFailed extends CannotStart {
  override readonly name = 'UpgradeFailed'
  constructor(record: SchemaRecord, version: string, backup: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      `The database could not be upgraded from Causeway ${record.version} (schema ${schemaNumber(record.migrations)}) ` +
        `to ${version}: ${reason}. It is as it was, and a copy of it is ${backup}; ` +
        `version ${record.version} can go on with it.`,
      { cause },
    )
  }
}

export function findDueUpgrade(database: DatabaseSync, migrations: Migrations): DueUpgrade {
  const record = readSchemaRecord(database)
  if (!record) return { kind: 'new' }
  const known = Object.keys(migrations)
  return known.every((name) => record.migrations.includes(name))
    ? { kind: 'none', record }
    : { kind: 'older', record }
}

/**
 * Runs every migration that is due and notes whose schema it is now, in one transaction: whatever fails or ends the
 * process meanwhile leaves the database as it was.
 *
 * @throws Error with the failed migration's name.
 */
export async function migrate<T>(
  kysely: Kysely<T>,
  options: { readonly migrations: Migrations; readonly version: string; readonly now: Date },
): Promise<void> {
  const { migrations, version, now } = options
  await kysely.transaction().execute(async (transaction) => {
    const { error, results = [] } = await new Migrator({
      db: transaction,
      provider: { getMigrations: async () => ({ ...migrations }) },
    }).migrateToLatest()
    if (error) throw describeFailure(error, results)
    await noteWriter(transaction, version, now)
  })
}

function describeFailure(
  cause: unknown,
  results: readonly { readonly migrationName: string; readonly status: string }[],
): Error {
  const at = results.find(({ status }) => status === 'Error')?.migrationName ?? 'the migrations'
  return new Error(`${at} failed, ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  })
}
