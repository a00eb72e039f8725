import type { Metrics } from '../../lib/metrics.ts'
import { createRequestTotals, type RequestTotal } from '../../lib/request-totals.ts'
import type { AuditEvent, RegistryEvents } from './registry-events.ts'

/** What a process has to tell that serves requests for another. Plain data. */
export interface EventBatch {
  readonly requests: readonly RequestTotal[]
  /** As texts, which cost the other process less than objects do. */
  readonly events: readonly string[]
}

/** Tells another process in batches, so that a request costs no message. */
export interface EventForwarder {
  readonly metrics: Pick<Metrics, 'request'>
  readonly events: RegistryEvents
  /** Sends what waits. */
  flush(): Promise<void>
}

/** Together with the half second of the audit trail this stays below the second that a crash may cost. */
const SEND_AFTER_MS = 250
const WAITING_MAX = 20_000

/**
 * @param send may fail: then its batch is lost, as it is with a process that ends
 * @param textOf makes of an event what is kept of it
 */
export function createEventForwarder(
  send: (batch: EventBatch) => Promise<void>,
  textOf: (event: AuditEvent) => string,
): EventForwarder {
  const totals = createRequestTotals()
  let events: string[] = []
  let timer: NodeJS.Timeout | undefined

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const batch: EventBatch = { requests: totals.take(), events }
    events = []
    if (batch.requests.length > 0 || batch.events.length > 0) await send(batch)
  }

  const flushNow = (): void => void flush().catch(() => {})
  const later = (): void => {
    if (events.length >= WAITING_MAX) flushNow()
    else timer ??= setTimeout(flushNow, SEND_AFTER_MS)
  }

  return {
    metrics: {
      request(outcome) {
        totals.add(outcome)
        later()
      },
    },
    events: {
      note(event) {
        events.push(textOf(event))
        later()
      },
    },
    flush,
  }
}
