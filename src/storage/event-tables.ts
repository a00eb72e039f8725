import type { Generated } from 'kysely'

/** The audit trail: rows come at the end, go at the beginning, and never change. Null is what does not apply. */
export interface AuditEventsTable {
  /** Grows with time; never given twice. */
  id: Generated<number>
  kind: 'login' | 'repository'
  /** When the request came, ISO 8601. */
  time: string
  /** ARM id of the registry. */
  registry_id: string
  login_server: string
  region: string
  operation: string
  status: number
  error_code: string | null
  correlation_id: string
  duration_ms: number
  identity: string
  identity_name: string
  identity_kind: string
  address: string
  place: string
  /** ARM id of the private endpoint. */
  endpoint: string | null
  user_agent: string
  repository: string | null
  tag: string | null
  digest: string | null
  media_type: string | null
  artifact_type: string | null
  size: number | null
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
