import type { Migration } from 'kysely/migration'

export const createReplicas: Migration = {
  async up(database) {
    await database.schema
      .createTable('registry_replicas')
      .addColumn('registry', 'text', (column) => column.notNull())
      .addColumn('region', 'text', (column) => column.notNull())
      .addColumn('in_step_since', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('registry_replicas_key', ['registry', 'region'])
      .execute()

    await database.schema
      .createTable('registry_replica_queue')
      .addColumn('registry', 'text', (column) => column.notNull())
      .addColumn('region', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('size', 'bigint', (column) => column.notNull())
      .addColumn('queued_at', 'text', (column) => column.notNull())
      .addColumn('due_at', 'text', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('last_error', 'text')
      .addPrimaryKeyConstraint('registry_replica_queue_key', ['registry', 'region', 'digest'])
      .execute()
    await database.schema
      .createIndex('registry_replica_queue_due')
      .on('registry_replica_queue')
      .columns(['due_at'])
      .execute()
  },
}
