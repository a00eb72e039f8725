import type { Migration } from 'kysely/migration'

export const createResources: Migration = {
  async up() {},
}
