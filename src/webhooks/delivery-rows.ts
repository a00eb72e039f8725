import type { Kysely, Selectable } from 'kysely'
import type { WebhookDeliveriesTable } from '../storage/event-tables.ts'
import type { Tables } from '../storage/tables.ts'

export type DeliveryRow = Readonly<Selectable<WebhookDeliveriesTable>>

/** What came of one try. */
export interface TryOutcome {
  readonly state: DeliveryRow['state']
  readonly dueAt: string
  readonly request: string | null
  readonly response: string
}

/** The durable side of the queue. Times are ISO 8601. */
export interface DeliveryRows {
  insert(
    rows: readonly Pick<DeliveryRow, 'event_id' | 'webhook' | 'content'>[],
    now: Date,
  ): Promise<void>
  /** The webhooks that have something to tell, now or later. */
  waiting(): Promise<readonly string[]>
  /** When a webhook has something to tell next. */
  dueAt(webhook: string): Promise<string | undefined>
  /** What is to be told next, if it is due. */
  nextOf(webhook: string, now: Date): Promise<DeliveryRow | undefined>
  end(id: number, outcome: TryOutcome): Promise<void>
  /** Keeps so many that are over, and so many that wait; of the latter the oldest are given up. */
  bound(webhook: string, limits: { readonly over: number; readonly waiting: number }): Promise<void>
  /** The last of what was and is to be told, newest first. */
  list(webhook: string, count: number): Promise<readonly DeliveryRow[]>
  retain(webhooks: readonly string[]): Promise<void>
}

export function deliveryRows(kysely: Kysely<Tables>): DeliveryRows {
  const overSince = (webhook: string, offset: number, isWaiting: 'waiting' | 'over') =>
    kysely
      .selectFrom('webhook_deliveries')
      .select('id')
      .where('webhook', '=', webhook)
      .where('state', isWaiting === 'waiting' ? '=' : '!=', 'pending')
      .orderBy('id', 'desc')
      .offset(offset)
      .limit(1)
      .executeTakeFirst()

  return {
    async insert(rows, now) {
      const at = now.toISOString()
      await kysely
        .insertInto('webhook_deliveries')
        .values(
          rows.map((row) => ({
            ...row,
            created_at: at,
            state: 'pending' as const,
            tries: 0,
            due_at: at,
          })),
        )
        .execute()
    },
    async waiting() {
      const rows = await kysely
        .selectFrom('webhook_deliveries')
        .select('webhook')
        .distinct()
        .where('state', '=', 'pending')
        .execute()
      return rows.map(({ webhook }) => webhook)
    },
    async dueAt(webhook) {
      const row = await kysely
        .selectFrom('webhook_deliveries')
        .select('due_at')
        .where('state', '=', 'pending')
        .where('webhook', '=', webhook)
        .orderBy('due_at')
        .limit(1)
        .executeTakeFirst()
      return row?.due_at
    },
    nextOf: (webhook, now) =>
      kysely
        .selectFrom('webhook_deliveries')
        .selectAll()
        .where('state', '=', 'pending')
        .where('webhook', '=', webhook)
        .where('due_at', '<=', now.toISOString())
        .orderBy('due_at')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst(),
    async end(id, { dueAt, ...outcome }) {
      await kysely
        .updateTable('webhook_deliveries')
        .set((row) => ({ ...outcome, due_at: dueAt, tries: row('tries', '+', 1) }))
        .where('id', '=', id)
        .execute()
    },
    async bound(webhook, { over, waiting }) {
      const oldest = await overSince(webhook, over, 'over')
      if (oldest) {
        await kysely
          .deleteFrom('webhook_deliveries')
          .where('webhook', '=', webhook)
          .where('state', '!=', 'pending')
          .where('id', '<=', oldest.id)
          .execute()
      }
      const excess = await overSince(webhook, waiting, 'waiting')
      if (!excess) return
      await kysely
        .updateTable('webhook_deliveries')
        .set({ state: 'failed' })
        .where('webhook', '=', webhook)
        .where('state', '=', 'pending')
        .where('id', '<=', excess.id)
        .execute()
    },
    list: (webhook, count) =>
      kysely
        .selectFrom('webhook_deliveries')
        .selectAll()
        .where('webhook', '=', webhook)
        .orderBy('id', 'desc')
        .limit(count)
        .execute(),
    async retain(webhooks) {
      const known = await kysely
        .selectFrom('webhook_deliveries')
        .select('webhook')
        .distinct()
        .execute()
      for (const { webhook } of known) {
        if (webhooks.includes(webhook)) continue
        await kysely.deleteFrom('webhook_deliveries').where('webhook', '=', webhook).execute()
      }
    },
  }
}
