import type { AuditReader } from '../audit/create-audit-reader.ts'
import { presentEvent } from '../audit/present-event.ts'
import type { AuditAnswer, AuditRequest } from './contract.ts'

const LIMIT = 100

/** A page of the audit trail. */
export function listAudit(
  { limit = LIMIT, ...request }: AuditRequest,
  { reader, tenantId }: { readonly reader: AuditReader; readonly tenantId: string },
): AuditAnswer {
  const { rows, ...page } = reader.page({ ...request, limit })
  return { events: rows.map((row) => presentEvent(row, tenantId)), ...page }
}
