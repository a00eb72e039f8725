import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'
import type { ChangeRecorder } from '../registry/events/registry-events.ts'
import type { Tables } from '../storage/tables.ts'
import { createLanes } from './create-lanes.ts'
import { type DeliveryRow, deliveryRows } from './delivery-rows.ts'
import { type Outward, type SentRequest, tell } from './tell.ts'
import { actionOf, eventOf, isInScope, type WebhookEvent } from './webhook-event.ts'
import type { WebhookSource } from './webhook-source.ts'

/** After the first try, the second, …; then it is given up. Ten tries in eight hours. */
const PAUSES_SECONDS: readonly number[] = [2, 10, 30, 120, 600, 1800, 3600, 7200, 14_400]
/** Of each webhook: those that are over, for who asks, and those that wait for a receiver that is down. */
const LIMITS = { over: 100, waiting: 10_000 }

/** Rows are counted now and then: a few more do no harm. */
const BOUND_EVERY = 50
const COUNTED_AS = { delivered: 'delivered', pending: 'retried', failed: 'given_up' } as const

/** An event with what was sent and what came back, in the form of the service's `listEvents`. */
export interface ListedEvent {
  readonly id: string
  readonly eventRequestMessage: Partial<SentRequest> & { readonly content: WebhookEvent }
  readonly eventResponseMessage?: unknown
}

export interface WebhookQueue extends ChangeRecorder {
  /** Queues an event that tells of nothing. Returns its id. */
  ping(webhook: string): Promise<string>
  /** The last events, newest first. */
  events(webhook: string): Promise<readonly ListedEvent[]>
  /** Forgets what webhooks that are no more had to tell. */
  retain(): Promise<void>
  /** Begins to deliver, first what was left at the last end. */
  start(): void
  counts(): Readonly<Record<'delivered' | 'retried' | 'given_up', number>>
  close(): Promise<void>
}

/**
 * A durable queue for each webhook: an event is written with the change that it tells of, and sent afterwards, again and
 * again until the receiver takes it or enough is enough. After a crash an event may come twice, with the same id.
 */
export function createWebhookQueue(options: {
  readonly kysely: Kysely<Tables>
  readonly source: WebhookSource
  readonly outward: Outward
  readonly sealer: { seal(text: string): string; unseal(sealed: string): string }
  readonly clock: Clock
  readonly log: Pick<Logger, 'info' | 'error'>
  readonly pausesSeconds?: readonly number[]
}): WebhookQueue {
  const { kysely, source, outward, sealer, clock, log } = options
  const { pausesSeconds = PAUSES_SECONDS } = options
  const rows = deliveryRows(kysely)
  const counts = { delivered: 0, retried: 0, given_up: 0 }
  const work = { all: rows.waiting, next: deliverNext, dueAt: rows.dueAt }
  const lanes = createLanes({ work, clock, log })

  /** Tries what is due next for a webhook; false where nothing is. */
  async function deliverNext(webhook: string, signal: AbortSignal): Promise<boolean> {
    const row = await rows.nextOf(webhook, clock.now())
    if (!row) return false
    const callback = source.callbackOf(webhook)
    if (!callback) {
      await rows.retain(source.uids())
      return false
    }
    const { id, content, tries } = row
    const told = await tell(outward, callback, { content, who: `webhook ${webhook}`, signal })
    const pause = pausesSeconds[tries]
    const state = told.isAccepted ? 'delivered' : pause === undefined ? 'failed' : 'pending'
    counts[COUNTED_AS[state]] += 1
    if (state === 'failed') {
      log.info({ webhook, event: row.event_id, tries: tries + 1 }, 'a webhook was not told')
    }
    await rows.end(id, {
      state,
      dueAt: new Date(clock.now().getTime() + (pause ?? 0) * 1000).toISOString(),
      request: sealer.seal(JSON.stringify(told.request)),
      response: JSON.stringify(told.response),
    })
    if (id % BOUND_EVERY === 0) await rows.bound(webhook, LIMITS)
    return true
  }

  function listed({ event_id, content, request, response }: DeliveryRow): ListedEvent {
    return {
      id: event_id,
      eventRequestMessage: {
        content: JSON.parse(content),
        ...(request !== null && JSON.parse(sealer.unseal(request))),
      },
      ...(response !== null && { eventResponseMessage: JSON.parse(response) }),
    }
  }

  return {
    async record(transaction, changes, occasion) {
      const now = clock.now()
      const told = changes.flatMap((change) => {
        const action = actionOf(change)
        if (!action) return []
        return source
          .ofRegistry(change.registry)
          .filter((each) => each.isEnabled && each.actions.includes(action))
          .filter((each) => isInScope(each, change))
          .map(({ uid }) => {
            const id = randomUUID()
            const event = eventOf(change, action, occasion, { id, now })
            return { event_id: id, webhook: uid, content: JSON.stringify(event) }
          })
      })
      if (told.length === 0) return
      await deliveryRows(transaction).insert(told, now)
      // They read by the same connection, and so after the commit.
      lanes.wake(told.map(({ webhook }) => webhook))
    },

    async ping(webhook) {
      const [id, now] = [randomUUID(), clock.now()]
      const event: WebhookEvent = { id, timestamp: now.toISOString(), action: 'ping' }
      await rows.insert([{ event_id: id, webhook, content: JSON.stringify(event) }], now)
      lanes.wake([webhook])
      return id
    },

    events: async (webhook) => (await rows.list(webhook, LIMITS.over)).map(listed),
    retain: () => rows.retain(source.uids()),
    start: () => lanes.start(),
    counts: () => counts,
    close: () => lanes.close(),
  }
}
