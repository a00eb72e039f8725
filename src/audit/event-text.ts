import type { AuditEvent } from '../registry/events/registry-events.ts'

/**
 * An event as the database keeps it: a JSON list, whose places are the columns of `audit_events`
 * (`src/storage/migrations/0013-event-texts.ts`). One text is written in a fraction of the time that so many columns take, by
 * whoever saw the event.
 */
export function textOf({ occasion, ...event }: AuditEvent): string {
  const { caller } = occasion
  return JSON.stringify([
    event.table,
    occasion.time,
    occasion.registryId,
    occasion.loginServer,
    occasion.region,
    event.operation,
    event.status,
    event.errorCode,
    occasion.correlationId,
    event.durationMs,
    caller.id,
    caller.name,
    caller.kind,
    occasion.address,
    occasion.place,
    occasion.endpoint,
    occasion.userAgent,
    event.repository,
    event.tag,
    event.digest,
    event.mediaType,
    event.artifactType,
    event.size,
  ])
}
