import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const TABLES = ['registry_repositories', 'registry_manifests', 'registry_tags'] as const
const ATTRIBUTES = ['delete_enabled', 'write_enabled', 'read_enabled', 'list_enabled'] as const

/** What may be done with a repository, a manifest and a tag; and lists of the latter two by time, of tags by manifest. */
export const createAttributes: Migration = {
  async up(database) {
    for (const table of TABLES) {
      for (const attribute of ATTRIBUTES) {
        await sql`ALTER TABLE ${sql.table(table)} ADD COLUMN ${sql.id(attribute)} INTEGER NOT NULL DEFAULT 1`.execute(
          database,
        )
      }
    }
    await database.schema
      .createIndex('registry_manifests_time')
      .on('registry_manifests')
      .columns(['registry', 'repository', 'updated_at', 'digest'])
      .execute()
    await database.schema
      .createIndex('registry_tags_time')
      .on('registry_tags')
      .columns(['registry', 'repository', 'updated_at', 'name'])
      .execute()
    await database.schema.dropIndex('registry_tags_digest').execute()
    await database.schema
      .createIndex('registry_tags_digest')
      .on('registry_tags')
      .columns(['registry', 'repository', 'digest', 'name'])
      .execute()
  },
}
