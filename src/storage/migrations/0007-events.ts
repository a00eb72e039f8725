import type { Migration } from 'kysely/migration'

export const createEvents: Migration = {
  async up(database) {
    // No index but the key: rows are read and removed by ranges of it, and every push writes one.
    await database.schema
      .createTable('audit_events')
      .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('time', 'text', (column) => column.notNull())
      .addColumn('registry_id', 'text', (column) => column.notNull())
      .addColumn('login_server', 'text', (column) => column.notNull())
      .addColumn('region', 'text', (column) => column.notNull())
      .addColumn('operation', 'text', (column) => column.notNull())
      .addColumn('status', 'integer', (column) => column.notNull())
      .addColumn('error_code', 'text')
      .addColumn('correlation_id', 'text', (column) => column.notNull())
      .addColumn('duration_ms', 'integer', (column) => column.notNull())
      .addColumn('identity', 'text', (column) => column.notNull())
      .addColumn('identity_name', 'text', (column) => column.notNull())
      .addColumn('identity_kind', 'text', (column) => column.notNull())
      .addColumn('address', 'text', (column) => column.notNull())
      .addColumn('place', 'text', (column) => column.notNull())
      .addColumn('endpoint', 'text')
      .addColumn('user_agent', 'text', (column) => column.notNull())
      .addColumn('repository', 'text')
      .addColumn('tag', 'text')
      .addColumn('digest', 'text')
      .addColumn('media_type', 'text')
      .addColumn('artifact_type', 'text')
      .addColumn('size', 'bigint')
      .execute()

    await database.schema
      .createTable('webhook_deliveries')
      .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('event_id', 'text', (column) => column.notNull())
      .addColumn('webhook', 'text', (column) => column.notNull())
      .addColumn('content', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('tries', 'integer', (column) => column.notNull())
      .addColumn('due_at', 'text', (column) => column.notNull())
      .addColumn('request', 'text')
      .addColumn('response', 'text')
      .execute()
    await database.schema
      .createIndex('webhook_deliveries_due')
      .on('webhook_deliveries')
      .columns(['state', 'webhook', 'due_at'])
      .execute()
    await database.schema
      .createIndex('webhook_deliveries_of')
      .on('webhook_deliveries')
      .columns(['webhook', 'id'])
      .execute()
  },
}
