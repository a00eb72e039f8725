import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What regions of replicas have not whole, and what was mended. */
export const createMending: Migration = {
  async up(database) {
    await sql`CREATE TABLE registry_damaged_copies (
      region TEXT NOT NULL,
      digest TEXT NOT NULL,
      kind TEXT NOT NULL,
      found_at TEXT NOT NULL,
      PRIMARY KEY (region, digest)
    )`.execute(database)
    await sql`CREATE TABLE registry_repaired_blobs (
      region TEXT NOT NULL,
      digest TEXT NOT NULL,
      kind TEXT NOT NULL,
      found_at TEXT NOT NULL,
      repaired_at TEXT NOT NULL,
      PRIMARY KEY (region, digest)
    )`.execute(database)
    await sql`ALTER TABLE registry_scrubs ADD COLUMN unread TEXT NOT NULL DEFAULT ''`.execute(
      database,
    )
  },
}
