import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely'
import { CannotStart } from '../lib/cannot-start.ts'
import { migrate } from './migrate.ts'
import type { Tables } from './tables.ts'

/** The metadata store. One writer behind Kysely; a second, read-only connection for prepared statements on hot paths. */
export interface Database {
  readonly kysely: Kysely<Tables>
  /** Sees committed rows only. Prepare once, at construction. */
  readonly reader: DatabaseSync
  close(): Promise<void>
}

/**
 * Opens (and creates) the SQLite file and brings its schema up to date.
 *
 * @throws DataTooNew when a newer version of Causeway has written it.
 */
export async function openDatabase(file: string): Promise<Database> {
  // SQLite gives its journals the mode of the file they belong to.
  closeSync(openSync(file, 'a', 0o600))
  const writer = new DatabaseSync(file)
  execOrSay(
    writer,
    file,
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000',
  )
  const kysely = new Kysely<Tables>({
    dialect: new SqliteDialect({ database: forKysely(writer) }),
  })
  try {
    await migrate(kysely)
  } catch (error) {
    await kysely.destroy()
    throw error
  }
  const reader = new DatabaseSync(file, { readOnly: true })
  reader.exec('PRAGMA busy_timeout=5000')
  return {
    kysely,
    reader,
    async close() {
      reader.close()
      await kysely.destroy()
    },
  }
}

function execOrSay(writer: DatabaseSync, file: string, sql: string): void {
  try {
    writer.exec(sql)
  } catch (cause) {
    writer.close()
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CannotStart(
      `The database ${file} cannot be opened (${reason}); restore it from a backup.`,
      { cause },
    )
  }
}

const NOTHING_RUN = { changes: 0, lastInsertRowid: 0 }

// Kysely speaks better-sqlite3, whose statements take their parameters as one array and know whether they return rows.
function forKysely(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql)
      const parameters = (values: readonly unknown[]) => values as never[]
      return {
        reader: statement.columns().length > 0,
        all: (values) => statement.all(...parameters(values)),
        run(values) {
          // SQLite takes back some failed transactions itself, as on a full disk: the failure is what is to be told.
          if (sql === 'rollback' && !database.isTransaction) return NOTHING_RUN
          return statement.run(...parameters(values))
        },
        iterate: (values) => statement.iterate(...parameters(values)) as IterableIterator<unknown>,
      }
    },
  }
}
