import { createAuditReader } from '../audit/create-audit-reader.ts'
import { createAuditTrail } from '../audit/create-audit-trail.ts'
import { keepForDays } from '../audit/forget-old-events.ts'
import type { Config } from '../config.ts'
import { systemClock as clock } from '../lib/clock.ts'
import type { Closing } from '../lib/closing.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Stores } from './open-stores.ts'

/** The audit trail, kept as long as the operator says. */
export function openAudit(
  { database, log }: Stores,
  config: Config,
  metrics: Metrics,
  closing: Closing,
) {
  const { kysely, reader } = database
  const trail = createAuditTrail({ kysely, clock, log })
  closing.add(() => trail.close())
  const keeping = keepForDays(config.audit.retentionDays, { kysely, clock, log })
  closing.add(() => keeping.close())
  metrics.counter({
    name: 'causeway_audit_events_dropped_total',
    help: 'Events that could not be written and are not in the audit trail.',
    read: trail.dropped,
  })
  return { trail, reader: createAuditReader(reader) }
}
