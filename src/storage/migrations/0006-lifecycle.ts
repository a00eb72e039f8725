import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What becomes of content that is not wanted any more: queues of the garbage collector, retention, soft delete, scrub. */
export const createLifecycle: Migration = {
  async up(database) {
    await sql`CREATE TABLE registry_blob_reviews (
      registry TEXT NOT NULL,
      repository TEXT NOT NULL,
      digest TEXT NOT NULL,
      reason TEXT NOT NULL,
      since TEXT NOT NULL,
      PRIMARY KEY (registry, repository, digest)
    )`.execute(database)
    await sql`CREATE INDEX registry_blob_reviews_since ON registry_blob_reviews (since)`.execute(
      database,
    )
    await sql`CREATE TABLE registry_blob_removals (
      digest TEXT PRIMARY KEY,
      size BIGINT NOT NULL,
      reason TEXT NOT NULL,
      since TEXT NOT NULL
    )`.execute(database)
    await sql`CREATE INDEX registry_blob_removals_since ON registry_blob_removals (since)`.execute(
      database,
    )
    await sql`CREATE TABLE registry_damaged_blobs (
      digest TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      found_at TEXT NOT NULL
    )`.execute(database)
    await sql`CREATE TABLE registry_untagged_manifests (
      registry TEXT NOT NULL,
      repository TEXT NOT NULL,
      digest TEXT NOT NULL,
      since TEXT NOT NULL,
      PRIMARY KEY (registry, repository, digest)
    )`.execute(database)
    await sql`CREATE INDEX registry_untagged_manifests_since ON registry_untagged_manifests (registry, since)`.execute(
      database,
    )
    await sql`CREATE TABLE registry_deleted_manifests (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      registry TEXT NOT NULL,
      repository TEXT NOT NULL,
      digest TEXT NOT NULL,
      media_type TEXT NOT NULL,
      config_media_type TEXT,
      artifact_type TEXT,
      subject TEXT,
      architecture TEXT,
      os TEXT,
      image_size BIGINT NOT NULL,
      content BLOB NOT NULL,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL,
      delete_enabled INTEGER NOT NULL,
      write_enabled INTEGER NOT NULL,
      read_enabled INTEGER NOT NULL,
      list_enabled INTEGER NOT NULL,
      deleted_at TEXT NOT NULL,
      UNIQUE (registry, repository, digest)
    )`.execute(database)
    await sql`CREATE INDEX registry_deleted_manifests_age ON registry_deleted_manifests (registry, deleted_at)`.execute(
      database,
    )
    await sql`CREATE TABLE registry_deleted_tags (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      registry TEXT NOT NULL,
      repository TEXT NOT NULL,
      name TEXT NOT NULL,
      digest TEXT NOT NULL,
      delete_enabled INTEGER NOT NULL,
      write_enabled INTEGER NOT NULL,
      read_enabled INTEGER NOT NULL,
      list_enabled INTEGER NOT NULL,
      deleted_at TEXT NOT NULL
    )`.execute(database)
    await sql`CREATE INDEX registry_deleted_tags_repository ON registry_deleted_tags (registry, repository, id)`.execute(
      database,
    )
    await sql`CREATE INDEX registry_deleted_tags_age ON registry_deleted_tags (registry, deleted_at)`.execute(
      database,
    )
    await sql`CREATE TABLE registry_scrubs (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      started_at TEXT NOT NULL,
      position TEXT NOT NULL,
      blobs INTEGER NOT NULL,
      bytes BIGINT NOT NULL,
      all_blobs INTEGER NOT NULL,
      all_bytes BIGINT NOT NULL,
      finished_at TEXT
    )`.execute(database)

    // Layers that clients fetch from elsewhere were no references, also where they had been pushed.
    await sql`WITH unneeded AS MATERIALIZED (
        SELECT l.registry, l.repository, l.digest FROM registry_blob_links l WHERE NOT EXISTS (
          SELECT 1 FROM registry_manifest_references r
          WHERE r.registry = l.registry AND r.repository = l.repository AND r.child = l.digest))
      INSERT INTO registry_manifest_references (registry, repository, digest, child, child_kind)
      SELECT m.registry, m.repository, m.digest, u.digest, 'blob' FROM unneeded u
      JOIN registry_manifests m ON m.registry = u.registry AND m.repository = u.repository
      WHERE instr(m.content, CAST(u.digest AS BLOB)) > 0`.execute(database)
    // Content from before has no queue: its grace begins with the upgrade.
    const now = sql`strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`
    await sql`INSERT INTO registry_blob_reviews
      SELECT l.registry, l.repository, l.digest, 'unused', ${now} FROM registry_blob_links l
      WHERE NOT EXISTS (SELECT 1 FROM registry_manifest_references r
        WHERE r.registry = l.registry AND r.repository = l.repository AND r.child = l.digest)`.execute(
      database,
    )
    await sql`INSERT INTO registry_untagged_manifests
      SELECT m.registry, m.repository, m.digest, ${now} FROM registry_manifests m
      WHERE NOT EXISTS (SELECT 1 FROM registry_tags t
        WHERE t.registry = m.registry AND t.repository = m.repository AND t.digest = m.digest)`.execute(
      database,
    )
  },
}
