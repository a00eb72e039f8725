import type { Migration } from 'kysely/migration'

/** Lists ordered by time: without these, a page of the newest tags sorts all tags of its repository. */
export const indexByTime: Migration = {
  async up(database) {
    await database.schema
      .createIndex('registry_tags_time')
      .on('registry_tags')
      .columns(['registry', 'repository', 'updated_at', 'name'])
      .execute()
    await database.schema
      .createIndex('registry_manifests_time')
      .on('registry_manifests')
      .columns(['registry', 'repository', 'updated_at', 'digest'])
      .execute()
  },
}
