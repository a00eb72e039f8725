import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What regions of replicas have not whole, and what was mended; and what is asked for and would have to be counted. */
export const createMendingAndCounters: Migration = {
  async up(database) {
    await createMending(database)
    await createRepositoryCounts(database)
    await createStoredBytes(database)
  },
}

async function createMending<T>(database: Kysely<T>): Promise<void> {
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
}

/** Kept by triggers, in the transaction of whatever statement adds or takes a row. */
async function createRepositoryCounts<T>(database: Kysely<T>): Promise<void> {
  await sql`CREATE TABLE registry_repository_counts (
    registry TEXT NOT NULL,
    repository TEXT NOT NULL,
    manifests INTEGER NOT NULL DEFAULT 0,
    tags INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (registry, repository)
  ) WITHOUT ROWID`.execute(database)
  for (const [table, column] of [
    ['registry_manifests', 'manifests'],
    ['registry_tags', 'tags'],
  ] as const) {
    const [counted, count] = [sql.table(table), sql.id(column)]
    await sql`INSERT INTO registry_repository_counts (registry, repository, ${count})
      SELECT registry, repository, count(*) FROM ${counted} WHERE true GROUP BY registry, repository
      ON CONFLICT DO UPDATE SET ${count} = excluded.${count}`.execute(database)
    await sql`CREATE TRIGGER ${sql.id(`${table}_added`)} AFTER INSERT ON ${counted} BEGIN
      INSERT INTO registry_repository_counts (registry, repository, ${count})
        VALUES (NEW.registry, NEW.repository, 1) ON CONFLICT DO UPDATE SET ${count} = ${count} + 1;
    END`.execute(database)
    await sql`CREATE TRIGGER ${sql.id(`${table}_removed`)} AFTER DELETE ON ${counted} BEGIN
      UPDATE registry_repository_counts SET ${count} = ${count} - 1
        WHERE registry = OLD.registry AND repository = OLD.repository;
    END`.execute(database)
  }
}

/** Likewise: a blob counts once in a registry, however many of its repositories have it. */
async function createStoredBytes<T>(database: Kysely<T>): Promise<void> {
  // The other repositories of the registry that have a blob are found without those of other registries.
  await sql`DROP INDEX registry_blob_links_digest`.execute(database)
  await sql`CREATE INDEX registry_blob_links_digest ON registry_blob_links (digest, registry)`.execute(
    database,
  )
  await sql`CREATE TABLE registry_stored_bytes (
    registry TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL
  ) WITHOUT ROWID`.execute(database)
  await sql`INSERT INTO registry_stored_bytes
    SELECT registry, sum(size) FROM (SELECT DISTINCT registry, digest, size FROM registry_blob_links)
    GROUP BY registry HAVING sum(size) > 0`.execute(database)
  await sql`CREATE TRIGGER registry_blob_links_added AFTER INSERT ON registry_blob_links
    WHEN NEW.size > 0 AND NOT EXISTS (SELECT 1 FROM registry_blob_links
      WHERE digest = NEW.digest AND registry = NEW.registry AND size = NEW.size AND repository <> NEW.repository)
    BEGIN
      INSERT INTO registry_stored_bytes VALUES (NEW.registry, NEW.size)
        ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
    END`.execute(database)
  await sql`CREATE TRIGGER registry_blob_links_removed AFTER DELETE ON registry_blob_links
    WHEN OLD.size > 0 AND NOT EXISTS (SELECT 1 FROM registry_blob_links
      WHERE digest = OLD.digest AND registry = OLD.registry AND size = OLD.size)
    BEGIN
      UPDATE registry_stored_bytes SET bytes = bytes - OLD.size WHERE registry = OLD.registry;
    END`.execute(database)
}
