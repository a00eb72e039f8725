import type { Migration } from 'kysely/migration'

/** What is known of tags that came from elsewhere by a cache rule. */
export const createUpstreamTags: Migration = {
  async up(database) {
    await database.schema
      .createTable('registry_upstream_tags')
      .addColumn('registry', 'text', (column) => column.notNull())
      .addColumn('repository', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('checked_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_upstream_tags_key', ['registry', 'repository', 'name'])
      .execute()
  },
}
