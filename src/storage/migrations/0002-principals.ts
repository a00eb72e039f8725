import type { Migration } from 'kysely/migration'

export const createPrincipals: Migration = {
  async up(database) {
    await database.schema
      .createTable('principals')
      .addColumn('object_id', 'text', (column) => column.primaryKey())
      .addColumn('app_id', 'text', (column) => column.notNull().unique())
      .addColumn('display_name', 'text', (column) => column.notNull())
      .addColumn('name_key', 'text', (column) => column.notNull().unique())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .execute()
    await database.schema
      .createTable('principal_secrets')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('object_id', 'text', (column) =>
        column.notNull().references('principals.object_id').onDelete('cascade'),
      )
      .addColumn('hash', 'blob', (column) => column.notNull())
      .addColumn('owner', 'text')
      .addColumn('created_at', 'text', (column) => column.notNull())
      .execute()
    await database.schema
      .createIndex('principal_secrets_by_principal')
      .on('principal_secrets')
      .column('object_id')
      .execute()
    await database.schema
      .createIndex('principal_secrets_by_owner')
      .on('principal_secrets')
      .column('owner')
      .execute()
  },
}
