import type { Egress } from '../egress/create-egress.ts'
import { systemClock as clock } from '../lib/clock.ts'
import type { Closing } from '../lib/closing.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { CommittedResources } from '../providers/container-registry/registry-directory.ts'
import { createWebhookSource } from '../providers/container-registry/webhook-source.ts'
import type { ChangeRecorder } from '../registry/events/registry-events.ts'
import { createWebhookQueue } from '../webhooks/create-webhook-queue.ts'
import type { Stores } from './open-stores.ts'

/** The webhooks' queue; it begins to deliver when it is started. */
export async function openWebhooks(
  { database, feed, log, sealer }: Stores,
  parts: {
    readonly resources: CommittedResources
    readonly outside: Egress
    readonly metrics: Metrics
  },
  closing: Closing,
) {
  const { resources, outside, metrics } = parts
  const source = await createWebhookSource({ resources, feed, unseal: sealer.unseal })
  const { kysely, reader } = database
  const queue = createWebhookQueue({ kysely, source, outward: outside, sealer, clock, log })
  closing.add(() => queue.close())
  let known = source.uids().length
  feed.subscribe(async () => {
    // Only where one went there may be something to forget.
    const before = known
    known = source.uids().length
    if (known < before) await queue.retain()
  })
  const pending = reader.prepare(
    `SELECT count(*) AS count FROM webhook_deliveries WHERE state = 'pending'`,
  )
  metrics.counter({
    name: 'causeway_webhook_tries_total',
    help: 'Tries to tell a webhook of an event by outcome; retried ones will be made again.',
    label: 'outcome',
    read: queue.counts,
  })
  metrics.gauge({
    name: 'causeway_webhook_events_pending',
    help: 'Events that webhooks have not been told of yet.',
    read: () => Number(pending.get()?.count ?? 0),
  })
  return queue
}

/** One transaction, two records of it. */
export const recordWithBoth = (first: ChangeRecorder, second: ChangeRecorder): ChangeRecorder => ({
  async record(...change) {
    await first.record(...change)
    await second.record(...change)
  },
})
