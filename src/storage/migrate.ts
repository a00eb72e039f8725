import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { CannotStart } from '../lib/cannot-start.ts'
import { createResources } from './migrations/0001-resources.ts'
import { createPrincipals } from './migrations/0002-principals.ts'
import { createRegistryContent } from './migrations/0003-registry-content.ts'
import { createDirectory } from './migrations/0004-directory.ts'

/** Every migration there is, in order. Names are never changed once released. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-resources': createResources,
  '0002-principals': createPrincipals,
  '0003-registry-content': createRegistryContent,
  '0004-directory': createDirectory,
}

/** The data folder was written by a newer Causeway. */
export class DataTooNew extends CannotStart {
  override readonly name = 'DataTooNew'
  constructor(unknown: readonly string[]) {
    super(
      `The data folder was written by a newer version of Causeway (it has ${unknown.join(', ')}). ` +
        'Start that version, or name another folder with --data.',
    )
  }
}

/** @throws DataTooNew */
export async function migrate<T>(kysely: Kysely<T>): Promise<void> {
  const migrator = new Migrator({
    db: kysely,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
  })
  const unknown = (await appliedMigrations(kysely)).filter((name) => !(name in MIGRATIONS))
  if (unknown.length > 0) throw new DataTooNew(unknown)
  const { error } = await migrator.migrateToLatest()
  if (error) throw error
}

async function appliedMigrations<T>(kysely: Kysely<T>): Promise<readonly string[]> {
  const tables = await kysely.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some((table) => table.name === 'kysely_migration')) return []
  const untyped = kysely as unknown as Kysely<{ kysely_migration: { name: string } }>
  const rows = await untyped.selectFrom('kysely_migration').select('name').execute()
  return rows.map((row) => row.name)
}
