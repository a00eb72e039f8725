import type { AuditRow } from './create-audit-reader.ts'

/** What an event is called in Azure Monitor. */
export const TABLE_NAMES = {
  login: 'ContainerRegistryLoginEvents',
  repository: 'ContainerRegistryRepositoryEvents',
} as const

export type PresentedEvent = Readonly<Record<string, string | number>>

/**
 * An event with the columns of Azure Monitor, and after them those that the service lacks. What does not apply is left out.
 * https://learn.microsoft.com/azure/azure-monitor/reference/tables/containerregistryrepositoryevents
 */
export function presentEvent(row: AuditRow, tenantId: string): PresentedEvent {
  const table = TABLE_NAMES[row.kind]
  const columns: Record<string, string | number | null | undefined> = {
    TimeGenerated: row.time,
    Type: table,
    Category: table,
    OperationName: row.operation,
    // The service writes the kind of result here and the result itself beside it.
    ResultType: 'HttpStatusCode',
    ResultDescription: String(row.status),
    CorrelationId: row.correlation_id,
    DurationMs: String(row.duration_ms),
    CallerIpAddress: row.address || null,
    Identity: row.identity || null,
    UserTenantId: isPrincipal(row) ? tenantId : null,
    UserAgent: row.user_agent || null,
    LoginServer: row.login_server,
    Region: row.region,
    Repository: row.repository,
    Tag: row.tag,
    Digest: row.digest,
    MediaType: row.media_type,
    ArtifactType: row.artifact_type,
    Size: row.size,
    _ResourceId: row.registry_id,
    _SubscriptionId: row.registry_id.split('/')[2],
    IdentityName: row.identity_name || null,
    IdentityType: row.identity_kind,
    Place: row.place || null,
    PrivateEndpoint: row.endpoint,
    ErrorCode: row.error_code,
  }
  return Object.fromEntries(
    Object.entries(columns).filter(
      (column): column is [string, string | number] =>
        column[1] !== null && column[1] !== undefined,
    ),
  )
}

const isPrincipal = ({ identity_kind }: AuditRow): boolean =>
  identity_kind === 'ServicePrincipal' || identity_kind === 'User'
