import { closeSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  Kysely,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteStatement,
} from 'kysely'
import { CannotStart } from '../lib/cannot-start.ts'
import { type CommitCounter, createCommitCounter, setCommitVersion } from './commit-version.ts'
import { refuseNewer } from './data-too-new.ts'
import { findDueUpgrade, migrate, UpgradeFailed } from './migrate.ts'
import { MIGRATIONS, type Migrations } from './migrations.ts'
import { connectReader } from './open-reader.ts'
import { noteWriter } from './schema-record.ts'
import type { Tables } from './tables.ts'
import { backUpBeforeUpgrade } from './upgrade-backup.ts'

/** The metadata store. One writer behind Kysely; a second, read-only connection for prepared statements on hot paths. */
export interface Database {
  readonly kysely: Kysely<Tables>
  /** Sees committed rows only. Prepare once, at construction. */
  readonly reader: DatabaseSync
  close(): Promise<void>
}

/** How a database is brought up to date. */
export interface UpgradeOptions {
  /** The version that is noted as the last writer. */
  readonly version?: string
  /** Runs the upgrade of an older database, and may tell of it while it takes time. */
  readonly step?: <T>(title: string, work: () => Promise<T>) => Promise<T>
  readonly migrations?: Migrations
  readonly now?: Date
}

/**
 * Opens (and creates) the SQLite file and brings its schema up to date. An older one is copied first, into `backups`
 * beside it.
 *
 * @throws DataTooNew when a later version of Causeway has written it, and UpgradeFailed; both leave it as it was.
 */
export async function openDatabase(file: string, options: UpgradeOptions = {}): Promise<Database> {
  await refuseNewer(file, options.migrations)
  // SQLite gives its journals the mode of the file they belong to.
  closeSync(openSync(file, 'a', 0o600))
  const writer = new DatabaseSync(file)
  execOrSay(
    writer,
    file,
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000; PRAGMA wal_autocheckpoint=4000',
  )
  const commits = createCommitCounter(file)
  const kysely = new Kysely<Tables>({ dialect: dialectOf(writer, commits.around) })
  try {
    await upgrade(file, writer, kysely, options)
  } catch (error) {
    await kysely.destroy()
    commits.close()
    throw error
  }
  const reader = connectReader(file)
  setCommitVersion(reader, commits)
  return {
    kysely,
    reader,
    async close() {
      reader.close()
      await kysely.destroy()
      commits.close()
    },
  }
}

async function upgrade(
  file: string,
  writer: DatabaseSync,
  kysely: Kysely<Tables>,
  options: UpgradeOptions,
): Promise<void> {
  const { migrations = MIGRATIONS, version = '0.0.0', now = new Date() } = options
  const { step = (_title, work) => work() } = options
  const due = findDueUpgrade(writer, migrations)
  if (due.kind === 'none') {
    const { record } = due
    if (!record.isNoted || record.version !== version) await noteWriter(kysely, version, now)
    return
  }
  if (due.kind === 'new') return migrate(kysely, { migrations, version, now })
  const { record } = due
  const backup = await backUpBeforeUpgrade(file, join(dirname(file), 'backups'), record, now)
  await step(`database upgraded from ${record.version}; as it was: ${backup}`, async () => {
    await migrate(kysely, { migrations, version, now }).catch((error) => {
      throw new UpgradeFailed(record, version, backup, error)
    })
  })
}

/** SQLite takes changes of the schema back with their transaction, which Kysely does not count on. */
function dialectOf(database: DatabaseSync, aroundCommit: CommitCounter['around']): SqliteDialect {
  const dialect = new SqliteDialect({ database: forKysely(database, aroundCommit) })
  dialect.createAdapter = () => new TransactionalSqliteAdapter()
  return dialect
}

class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
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

/** Statements that are kept prepared; those with lists of values have many forms. */
const STATEMENTS_MAX = 200

// Kysely speaks better-sqlite3, whose statements take their parameters as one array and know whether they return rows.
function forKysely(database: DatabaseSync, aroundCommit: CommitCounter['around']): SqliteDatabase {
  const prepared = new Map<string, SqliteStatement>()

  function prepare(sql: string): SqliteStatement {
    const statement = database.prepare(sql)
    const parameters = (values: readonly unknown[]) => values as never[]
    const isRead = /^select\b/i.test(sql)
    const commits = () =>
      !isRead && (sql === 'commit' || (!database.isTransaction && sql !== 'begin'))
    const counted = <T>(run: () => T): T => (commits() ? aroundCommit(run) : run())
    return {
      reader: statement.columns().length > 0,
      all(values) {
        return counted(() => statement.all(...parameters(values)))
      },
      run(values) {
        // SQLite takes back some failed transactions itself, as on a full disk: the failure is what is to be told.
        if (sql === 'rollback' && !database.isTransaction) return NOTHING_RUN
        return counted(() => statement.run(...parameters(values)))
      },
      iterate: (values) => statement.iterate(...parameters(values)) as IterableIterator<unknown>,
    }
  }

  return {
    close: () => database.close(),
    // The one used longest ago makes room.
    prepare(sql) {
      const statement = prepared.get(sql) ?? prepare(sql)
      prepared.delete(sql)
      prepared.set(sql, statement)
      const [oldest] = prepared.keys()
      if (prepared.size > STATEMENTS_MAX && oldest !== undefined) prepared.delete(oldest)
      return statement
    },
  }
}
