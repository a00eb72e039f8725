import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Applications beside their service principals, and every kind of credential with its time. */
export const createDirectory: Migration = {
  async up(database) {
    await sql`ALTER TABLE principals ADD COLUMN application_id TEXT`.execute(database)
    await sql`ALTER TABLE principals ADD COLUMN is_enrolled INTEGER NOT NULL DEFAULT 1`.execute(
      database,
    )
    await registerApplications(database)
    await sql`CREATE UNIQUE INDEX principals_by_application ON principals (application_id)`.execute(
      database,
    )
    for (const column of ['display_name', 'hint', 'starts_at', 'expires_at']) {
      await sql`ALTER TABLE principal_secrets ADD COLUMN ${sql.id(column)} TEXT`.execute(database)
    }
    await sql`CREATE TABLE principal_certificates (
      id TEXT PRIMARY KEY,
      object_id TEXT NOT NULL REFERENCES principals (object_id) ON DELETE CASCADE,
      certificate BLOB NOT NULL,
      display_name TEXT,
      starts_at TEXT NOT NULL,
      expires_at TEXT NOT NULL
    )`.execute(database)
    await sql`CREATE TABLE federated_credentials (
      id TEXT PRIMARY KEY,
      object_id TEXT NOT NULL REFERENCES principals (object_id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      issuer TEXT NOT NULL,
      subject TEXT NOT NULL,
      audiences TEXT NOT NULL,
      description TEXT,
      keys TEXT NOT NULL
    )`.execute(database)
    await sql`CREATE INDEX principal_certificates_by_principal ON principal_certificates (object_id)`.execute(
      database,
    )
    await sql`CREATE UNIQUE INDEX federated_credentials_by_name ON federated_credentials (object_id, name)`.execute(
      database,
    )
    // What a token's credential is, whichever kind it is of.
    await sql`CREATE VIEW principal_credentials AS
      SELECT id, object_id, owner, starts_at, expires_at FROM principal_secrets
      UNION ALL SELECT id, object_id, NULL, starts_at, expires_at FROM principal_certificates
      UNION ALL SELECT id, object_id, NULL, NULL, NULL FROM federated_credentials`.execute(database)
  },
}

async function registerApplications<T>(database: Kysely<T>): Promise<void> {
  const { rows } = await sql<{ object_id: string }>`
    SELECT object_id FROM principals WHERE kind = 'ServicePrincipal'`.execute(database)
  for (const { object_id: objectId } of rows) {
    await sql`UPDATE principals SET application_id = ${randomUUID()} WHERE object_id = ${objectId}`.execute(
      database,
    )
  }
}
