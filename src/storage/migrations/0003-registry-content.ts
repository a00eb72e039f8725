import type { Migration } from 'kysely/migration'

export const createRegistryContent: Migration = {
  async up() {},
}
