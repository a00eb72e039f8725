import type { ColumnType, Generated } from 'kysely'

/** A column that is read from the text of an event. */
type Read<T> = ColumnType<T, never, never>

/** The audit trail: rows come at the end, go at the beginning, and never change. Null is what does not apply. */
export interface AuditEventsTable {
  /** Grows with time; never given twice. */
  id: Generated<number>
  /** All that follows, as `src/audit/event-text.ts` writes it. */
  event: string
  kind: Read<'login' | 'repository'>
  /** When the request came, ISO 8601. */
  time: Read<string>
  /** ARM id of the registry. */
  registry_id: Read<string>
  login_server: Read<string>
  region: Read<string>
  operation: Read<string>
  status: Read<number>
  error_code: Read<string | null>
  correlation_id: Read<string>
  duration_ms: Read<number>
  identity: Read<string>
  identity_name: Read<string>
  identity_kind: Read<string>
  address: Read<string>
  place: Read<string>
  /** ARM id of the private endpoint. */
  endpoint: Read<string | null>
  user_agent: Read<string>
  repository: Read<string | null>
  tag: Read<string | null>
  digest: Read<string | null>
  media_type: Read<string | null>
  artifact_type: Read<string | null>
  size: Read<number | null>
}

/** What webhooks have told and are to tell. A row is written with the change that it tells of. */
export interface WebhookDeliveriesTable {
  id: Generated<number>
  /** What the receiver knows it by; stays the same over all tries. */
  event_id: string
  /** The webhook's uid. */
  webhook: string
  /** JSON, as it is sent. */
  content: string
  created_at: string
  state: 'pending' | 'delivered' | 'failed'
  tries: number
  /** When the next try is due, while it is pending; ISO 8601. */
  due_at: string
  /** JSON of the last try: what was sent but for its content, and what came back. */
  request: string | null
  response: string | null
}

export interface EventTables {
  audit_events: AuditEventsTable
  webhook_deliveries: WebhookDeliveriesTable
}
