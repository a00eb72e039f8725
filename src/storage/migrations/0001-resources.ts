import type { Migration } from 'kysely/migration'

export const createResources: Migration = {
  async up(database) {
    await database.schema
      .createTable('resources')
      .addColumn('key', 'text', (column) => column.primaryKey())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('parent_key', 'text', (column) => column.notNull())
      .addColumn('location', 'text')
      .addColumn('tags', 'text')
      .addColumn('top', 'text', (column) => column.notNull())
      .addColumn('properties', 'text', (column) => column.notNull())
      .addColumn('etag', 'text', (column) => column.notNull())
      .addColumn('system_data', 'text', (column) => column.notNull())
      .execute()
    await database.schema
      .createIndex('resources_by_type')
      .on('resources')
      .columns(['type', 'key'])
      .execute()
    await database.schema
      .createIndex('resources_by_parent')
      .on('resources')
      .columns(['parent_key', 'type', 'key'])
      .execute()

    await database.schema
      .createTable('resource_references')
      .addColumn('source_key', 'text', (column) =>
        column.notNull().references('resources.key').onDelete('cascade'),
      )
      .addColumn('target_key', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('resource_references_pk', ['source_key', 'target_key'])
      .execute()
    await database.schema
      .createIndex('resource_references_by_target')
      .on('resource_references')
      .columns(['target_key', 'source_key'])
      .execute()

    await database.schema
      .createTable('changes')
      .addColumn('revision', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('changed_at', 'text', (column) => column.notNull())
      .execute()

    await database.schema
      .createTable('provider_registrations')
      .addColumn('namespace_key', 'text', (column) => column.primaryKey())
      .addColumn('state', 'text', (column) => column.notNull())
      .execute()

    await database.schema
      .createTable('operations')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('tries', 'integer', (column) => column.notNull())
      .addColumn('input', 'text', (column) => column.notNull())
      .addColumn('error', 'text')
      .addColumn('result', 'text')
      .addColumn('started_at', 'text', (column) => column.notNull())
      .addColumn('ended_at', 'text')
      .execute()
  },
}
