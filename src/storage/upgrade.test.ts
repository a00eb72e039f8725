import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { refuseNewer } from './data-too-new.ts'
import { openDatabase } from './database.ts'
import { MIGRATIONS, type Migrations } from './migrations.ts'
import { readSchemaRecord } from './schema-record.ts'
import { listBackups } from './upgrade-backup.ts'

const NAMES = Object.keys(MIGRATIONS)
const FIRST = only(1)
const HOST = fileURLToPath(new URL('upgrade-host-for-tests.ts', import.meta.url))

function only(count: number): Migrations {
  return Object.fromEntries(Object.entries(MIGRATIONS).slice(0, count))
}

/** A database of the first schemas, with something in it. */
async function olderDatabase(t: TestContext, migrations: Migrations = FIRST): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-upgrade-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'causeway.db')
  const database = await openDatabase(file, { version: '0.0.1', migrations })
  await sql`INSERT INTO provider_registrations VALUES ('kept', 'Registered')`.execute(
    database.kysely,
  )
  await database.close()
  return file
}

const backupsOf = (file: string) => listBackups(join(file, '..', 'backups'))

/** Everything that a database says, its schema included. */
function contentOf(file: string) {
  const database = new DatabaseSync(file, { readOnly: true })
  const all = (text: string) => database.prepare(text).all()
  const schema = all('SELECT type, name, sql FROM sqlite_schema ORDER BY name')
  const content = {
    schema,
    registrations: all('SELECT * FROM provider_registrations'),
    migrations: all('SELECT * FROM kysely_migration'),
    whole: all('PRAGMA integrity_check'),
  }
  database.close()
  return content
}

describe('a database of an older version', () => {
  for (const count of [1, 2, 3]) {
    test(`of schema ${count} is copied, and then upgraded with what is in it`, async (t) => {
      const file = await olderDatabase(t, only(count))
      const before = contentOf(file)
      const steps: string[] = []
      const { kysely, close } = await openDatabase(file, {
        version: '0.0.2',
        step: (title, work) => {
          steps.push(title)
          return work()
        },
      })
      const kept = await kysely.selectFrom('provider_registrations').selectAll().execute()
      await kysely.selectFrom('principal_credentials').selectAll().execute()
      await close()
      assert.deepEqual(
        kept.map(({ namespace_key: key, state }) => [key, state]),
        [['kept', 'Registered']],
      )

      const [backup, ...others] = await backupsOf(file)
      assert.ok(backup)
      assert.deepEqual(others, [])
      assert.match(backup.file, new RegExp(`/backups/causeway-0\\.0\\.1-schema-${count}-`))
      assert.deepEqual(contentOf(backup.file), before)
      assert.deepEqual(steps, [`database upgraded from 0.0.1; as it was: ${backup.file}`])
      assert.equal((await stat(backup.file)).mode & 0o777, 0o600)
      assert.equal((await stat(join(backup.file, '..'))).mode & 0o777, 0o700)
    })
  }

  test('is opened without another copy from then on, and says who wrote it', async (t) => {
    const file = await olderDatabase(t)
    await (await openDatabase(file, { version: '0.0.2' })).close()
    const again = await openDatabase(file, { version: '0.0.3' })
    assert.deepEqual(readSchemaRecord(again.reader), {
      migrations: NAMES,
      version: '0.0.3',
      isNoted: true,
    })
    await again.close()
    assert.equal((await backupsOf(file)).length, 1)
  })

  test('is as it was after a migration that failed, and one sentence tells where the copy is', async (t) => {
    const file = await olderDatabase(t)
    const before = contentOf(file)
    const failing: Migrations = {
      ...MIGRATIONS,
      '9999-failing': {
        async up(database) {
          await sql`DROP TABLE provider_registrations`.execute(database)
          await sql`INSERT INTO nowhere VALUES (1)`.execute(database)
        },
      },
    }
    const opening = openDatabase(file, { version: '0.0.2', migrations: failing })
    const error = await opening.then(() => undefined).catch((failure: Error) => failure)
    const [backup] = await backupsOf(file)
    assert.equal(error?.name, 'UpgradeFailed')
    assert.match(
      error.message,
      /from Causeway 0\.0\.1 \(schema 1\) to 0\.0\.2: 9999-failing failed/,
    )
    assert.match(error.message, /no such table: nowhere/)
    assert.ok(backup && error.message.includes(backup.file))
    assert.deepEqual(contentOf(file), before)
    await (await openDatabase(file, { version: '0.0.1', migrations: FIRST })).close()
  })

  test('is upgraded by the next start when the process was killed amid its upgrade', async (t) => {
    const file = await olderDatabase(t, MIGRATIONS)
    const before = contentOf(file)
    const host = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', HOST, file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const ended = once(host, 'close')
    const [text] = await Promise.race([once(host.stdout, 'data'), ended])
    assert.equal(String(text), 'amid\n')
    host.kill('SIGKILL')
    await ended
    assert.ok((await stat(`${file}-wal`)).size > 1_000_000, 'nothing of the upgrade was on disk')

    await (await openDatabase(file, { version: '0.0.1' })).close()
    assert.deepEqual(contentOf(file), before)
    const further: Migrations = {
      ...MIGRATIONS,
      '9999-further': {
        up: async (database) => {
          await sql`CREATE TABLE further (id TEXT)`.execute(database)
        },
      },
    }
    const upgraded = await openDatabase(file, { version: '0.0.2', migrations: further })
    await sql`SELECT * FROM further`.execute(upgraded.kysely)
    await upgraded.close()
  })

  test('is left as it is where there is no room for a copy', async (t) => {
    const file = await olderDatabase(t)
    const { size } = await stat(file)
    // A hole takes no room, and what is to be copied is as large as it looks.
    await truncate(file, 2 ** 42)
    await assert.rejects(openDatabase(file), {
      name: 'CannotStart',
      message: /its upgrade needs \d+ MiB at .*backups, where \d+ MiB are free: make room/,
    })
    await truncate(file, size)
    assert.deepEqual(await backupsOf(file), [])
    assert.equal(contentOf(file).migrations.length, 1)
  })

  test('that fails at every start keeps one copy, and three of different states at most', async (t) => {
    const file = await olderDatabase(t)
    const failing: Migrations = {
      ...MIGRATIONS,
      '9999-failing': { up: () => Promise.reject(new Error('no')) },
    }
    for (const now of ['2030-01-01', '2030-01-02', '2030-01-03'].map((day) => new Date(day))) {
      await assert.rejects(openDatabase(file, { migrations: failing, now }), /9999-failing/)
    }
    const [last, ...earlier] = await backupsOf(file)
    assert.match(last?.file ?? '', /20300103T/)
    assert.deepEqual(earlier, [])

    for (const schema of [7, 8, 9]) {
      const name = `causeway-0.0.${schema}-schema-${schema}-2029010${schema}T000000000Z.db`
      await writeFile(join(file, '..', 'backups', name), '')
    }
    await writeFile(join(file, '..', 'backups', 'mine.db'), 'not ours')
    await writeFile(join(file, '..', 'backups', `causeway-cut-short.db.draft`), '')
    await (await openDatabase(file, { now: new Date('2030-01-04') })).close()
    assert.deepEqual(
      (await backupsOf(file)).map(({ schema }) => schema),
      [1, 9, 8],
    )
    const names = await readdir(join(file, '..', 'backups'))
    assert.equal(names.includes('mine.db'), true)
    assert.equal(names.includes('causeway-cut-short.db.draft'), false)
  })
})

describe('a database of a later version', () => {
  async function laterDatabase(t: TestContext): Promise<string> {
    const file = await olderDatabase(t, only(3))
    const later: Migrations = {
      ...MIGRATIONS,
      '9999-later': { up: () => Promise.resolve() },
    }
    await (await openDatabase(file, { version: '7.1.0', migrations: later })).close()
    return file
  }

  test('is refused with who wrote it and what to restore, and not a byte is changed', async (t) => {
    const file = await laterDatabase(t)
    const [backup] = await backupsOf(file)
    const before = await readFile(file)
    const names = await readdir(join(file, '..'))
    for (const attempt of [() => refuseNewer(file), () => openDatabase(file)]) {
      await assert.rejects(attempt(), (error: Error) => {
        assert.equal(error.name, 'DataTooNew')
        assert.match(error.message, /written by Causeway 7\.1\.0 \(schema 9999: 9999-later\)/)
        assert.match(error.message, /Start version 7\.1\.0 or a later one/)
        assert.ok(error.message.includes(`'causeway restore ${backup?.file}'`), error.message)
        return true
      })
    }
    assert.deepEqual(await readFile(file), before)
    assert.deepEqual(await readdir(join(file, '..')), names)
  })

  test('without a copy from before is refused with what else to do', async (t) => {
    const file = await laterDatabase(t)
    await rm(join(file, '..', 'backups'), { recursive: true })
    await assert.rejects(openDatabase(file), /'causeway restore' a backup of this version/)
  })
})
