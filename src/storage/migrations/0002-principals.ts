import type { Migration } from 'kysely/migration'

export const createPrincipals: Migration = {
  async up() {},
}
