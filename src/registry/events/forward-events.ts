import type { Metrics, RequestOutcome } from '../../lib/metrics.ts'
import type { AuditEvent, RegistryEvents } from './registry-events.ts'

/** What a process has to tell that serves requests for another. */
interface Told {
  readonly outcomes: readonly RequestOutcome[]
  readonly events: readonly AuditEvent[]
}

/** The same as JSON: one text costs both processes half of what so many objects would. */
export type EventBatch = string

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

/** `send` may fail: then its batch is lost, as it is with a process that ends. */
export function createEventForwarder(send: (batch: EventBatch) => Promise<void>): EventForwarder {
  let outcomes: RequestOutcome[] = []
  let events: AuditEvent[] = []
  let timer: NodeJS.Timeout | undefined

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (outcomes.length === 0 && events.length === 0) return
    const told: Told = { outcomes, events }
    outcomes = []
    events = []
    await send(JSON.stringify(told))
  }

  const later = (): void => {
    if (outcomes.length + events.length >= WAITING_MAX) void flush().catch(() => {})
    else timer ??= setTimeout(() => void flush().catch(() => {}), SEND_AFTER_MS)
  }

  return {
    metrics: {
      request(outcome) {
        outcomes.push(outcome)
        later()
      },
    },
    events: {
      note(event) {
        events.push(event)
        later()
      },
    },
    flush,
  }
}

/** What the other process does with a batch. */
export function receiveEvents(
  batch: EventBatch,
  to: { readonly metrics: Pick<Metrics, 'request'>; readonly events: RegistryEvents },
): void {
  // The gate: it comes from a process of the same program.
  const { outcomes, events } = JSON.parse(batch) as Told
  for (const outcome of outcomes) to.metrics.request(outcome)
  for (const event of events) to.events.note(event)
}
