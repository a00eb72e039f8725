import { setImmediate as nextTurn } from 'node:timers/promises'
import { CompiledQuery, type Insertable, type Kysely } from 'kysely'
import type { AuditEvent } from '../registry/events/registry-events.ts'
import type { AuditEventsTable } from '../storage/event-tables.ts'
import type { Tables } from '../storage/tables.ts'

type Row = Required<Omit<Insertable<AuditEventsTable>, 'id'>>

/** What each column keeps of an event. */
const COLUMNS: { readonly [C in keyof Row]: (event: AuditEvent) => Row[C] } = {
  kind: ({ table }) => table,
  time: ({ occasion }) => occasion.time,
  registry_id: ({ occasion }) => occasion.registryId,
  login_server: ({ occasion }) => occasion.loginServer,
  region: ({ occasion }) => occasion.region,
  operation: ({ operation }) => operation,
  status: ({ status }) => status,
  error_code: ({ errorCode }) => errorCode ?? null,
  correlation_id: ({ occasion }) => occasion.correlationId,
  duration_ms: ({ durationMs }) => durationMs,
  identity: ({ occasion }) => occasion.caller.id,
  identity_name: ({ occasion }) => occasion.caller.name,
  identity_kind: ({ occasion }) => occasion.caller.kind,
  address: ({ occasion }) => occasion.address,
  place: ({ occasion }) => occasion.place,
  endpoint: ({ occasion }) => occasion.endpoint ?? null,
  user_agent: ({ occasion }) => occasion.userAgent,
  repository: ({ repository }) => repository ?? null,
  tag: ({ tag }) => tag ?? null,
  digest: ({ digest }) => digest ?? null,
  media_type: ({ mediaType }) => mediaType ?? null,
  artifact_type: ({ artifactType }) => artifactType ?? null,
  size: ({ size }) => size ?? null,
}
const VALUES = Object.values(COLUMNS)

/** About a millisecond's worth: names and transfers go on in between. */
const ROWS_AT_ONCE = 100

/** Few forms, each of which stays prepared: pulls come by the thousand. */
const FORMS = [ROWS_AT_ONCE, 10, 1].map((rows) => ({ rows, sql: insertOf(rows) }))

function insertOf(rows: number): string {
  const row = `(${VALUES.map(() => '?').join(', ')})`
  const columns = Object.keys(COLUMNS).join(', ')
  return `INSERT INTO audit_events (${columns}) VALUES ${Array(rows).fill(row).join(', ')}`
}

/** Puts events at the end of the trail, in this order. */
export async function insertEvents(
  kysely: Kysely<Tables>,
  events: readonly AuditEvent[],
): Promise<void> {
  let start = 0
  for (const { rows, sql } of FORMS) {
    for (; events.length - start >= rows; start += rows) {
      if (start > 0 && start % ROWS_AT_ONCE === 0) await nextTurn()
      const inserted = events.slice(start, start + rows)
      const values = inserted.flatMap((event) => VALUES.map((value) => value(event)))
      await kysely.executeQuery(CompiledQuery.raw(sql, values))
    }
  }
}
