import type { Migration } from 'kysely/migration'

export const createRegistryContent: Migration = {
  async up(database) {
    await database.schema
      .createTable('registry_repositories')
      .addColumn('registry', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_repositories_key', ['registry', 'name'])
      .execute()

    await database.schema
      .createTable('registry_manifests')
      .addColumn('registry', 'text', (column) => column.notNull())
      .addColumn('repository', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('media_type', 'text', (column) => column.notNull())
      .addColumn('config_media_type', 'text')
      .addColumn('artifact_type', 'text')
      .addColumn('subject', 'text')
      .addColumn('architecture', 'text')
      .addColumn('os', 'text')
      .addColumn('image_size', 'bigint', (column) => column.notNull())
      .addColumn('content', 'blob', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_manifests_key', ['registry', 'repository', 'digest'])
      .execute()
    await database.schema
      .createIndex('registry_manifests_subject')
      .on('registry_manifests')
      .columns(['registry', 'repository', 'subject'])
      .execute()

    await database.schema
      .createTable('registry_manifest_references')
      .addColumn('registry', 'text', (column) => column.notNull())
      .addColumn('repository', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('child', 'text', (column) => column.notNull())
      .addColumn('child_kind', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_manifest_references_key', [
        'registry',
        'repository',
        'digest',
        'child',
      ])
      .execute()
    await database.schema
      .createIndex('registry_manifest_references_child')
      .on('registry_manifest_references')
      .columns(['registry', 'repository', 'child'])
      .execute()

    await database.schema
      .createTable('registry_tags')
      .addColumn('registry', 'text', (column) => column.notNull())
      .addColumn('repository', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_tags_key', ['registry', 'repository', 'name'])
      .execute()
    await database.schema
      .createIndex('registry_tags_digest')
      .on('registry_tags')
      .columns(['registry', 'repository', 'digest'])
      .execute()

    await database.schema
      .createTable('registry_blob_links')
      .addColumn('registry', 'text', (column) => column.notNull())
      .addColumn('repository', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_blob_links_key', ['registry', 'repository', 'digest'])
      .execute()
    await database.schema
      .createIndex('registry_blob_links_digest')
      .on('registry_blob_links')
      .columns(['digest'])
      .execute()
  },
}
