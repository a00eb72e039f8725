import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Insertable, Kysely } from 'kysely'
import type { AuditEvent } from '../registry/events/registry-events.ts'
import type { AuditEventsTable } from '../storage/event-tables.ts'
import type { Tables } from '../storage/tables.ts'

/** About a millisecond's worth: names and transfers go on in between. */
const ROWS_AT_ONCE = 100

/** Puts events at the end of the trail, in this order. */
export async function insertEvents(
  kysely: Kysely<Tables>,
  events: readonly AuditEvent[],
): Promise<void> {
  for (let start = 0; start < events.length; start += ROWS_AT_ONCE) {
    if (start > 0) await nextTurn()
    const rows = events.slice(start, start + ROWS_AT_ONCE).map(rowOf)
    await kysely.insertInto('audit_events').values(rows).execute()
  }
}

const rowOf = ({ table, occasion, ...event }: AuditEvent): Insertable<AuditEventsTable> => ({
  kind: table,
  time: occasion.time,
  registry_id: occasion.registryId,
  login_server: occasion.loginServer,
  region: occasion.region,
  operation: event.operation,
  status: event.status,
  error_code: event.errorCode ?? null,
  correlation_id: occasion.correlationId,
  duration_ms: event.durationMs,
  identity: occasion.caller.id,
  identity_name: occasion.caller.name,
  identity_kind: occasion.caller.kind,
  address: occasion.address,
  place: occasion.place,
  endpoint: occasion.endpoint ?? null,
  user_agent: occasion.userAgent,
  repository: event.repository ?? null,
  tag: event.tag ?? null,
  digest: event.digest ?? null,
  media_type: event.mediaType ?? null,
  artifact_type: event.artifactType ?? null,
  size: event.size ?? null,
})
