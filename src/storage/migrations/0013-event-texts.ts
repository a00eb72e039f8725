import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The columns of an event, in the order of the list that is kept of it. */
const COLUMNS: readonly string[] = [
  ...['kind', 'time', 'registry_id', 'login_server', 'region', 'operation', 'status'],
  ...['error_code', 'correlation_id', 'duration_ms', 'identity', 'identity_name'],
  ...['identity_kind', 'address', 'place', 'endpoint', 'user_agent', 'repository', 'tag'],
  ...['digest', 'media_type', 'artifact_type', 'size'],
]

/** Keeps an event as one text, a JSON list, and reads its columns from there. */
export const keepEventTexts: Migration = {
  async up(database) {
    const columns = COLUMNS.map(
      (name, place) => `"${name}" GENERATED ALWAYS AS (event ->> ${place}) VIRTUAL`,
    )
    const list = COLUMNS.map((name) => `"${name}"`).join(', ')
    const statements = [
      `CREATE TABLE audit_texts (
        id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, ${columns.join(', ')})`,
      `INSERT INTO audit_texts (id, event) SELECT id, json_array(${list}) FROM audit_events ORDER BY id`,
      // Ids are not given twice, also where all events are forgotten.
      "DELETE FROM sqlite_sequence WHERE name = 'audit_texts'",
      `INSERT INTO sqlite_sequence (name, seq)
        SELECT 'audit_texts', seq FROM sqlite_sequence WHERE name = 'audit_events'`,
      'DROP TABLE audit_events',
      'ALTER TABLE audit_texts RENAME TO audit_events',
    ]
    for (const statement of statements) await sql.raw(statement).execute(database)
  },
}
