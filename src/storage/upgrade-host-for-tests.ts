import { stdin, stdout } from 'node:process'
import { sql } from 'kysely'
import { openDatabase } from './database.ts'
import { MIGRATIONS } from './migrations.ts'

/** Upgrades the database that it is called with, and stays amid that until somebody kills it. */
await openDatabase(process.argv[2] ?? '', {
  version: '9.0.0',
  migrations: {
    ...MIGRATIONS,
    '9999-endless': {
      async up(database) {
        await sql`CREATE TABLE endless AS SELECT * FROM resources`.execute(database)
        await sql`DROP TABLE provider_registrations`.execute(database)
        // More than SQLite keeps in memory, so that a part of the transaction is on disk.
        await sql`CREATE TABLE bulk AS
          WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4000)
          SELECT n, randomblob(2048) AS content FROM numbers`.execute(database)
        stdout.write('amid\n')
        stdin.resume()
        await new Promise(() => {})
      },
    },
  },
})
