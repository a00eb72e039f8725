import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'
import type { Tables } from '../storage/tables.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const ROUND_MS = 60 * 60 * 1000
/** Of one transaction: pushes wait no longer than for that. */
const ROWS_AT_ONCE = 1000

/** Removes events that are older than so many days, from the beginning of the trail on. Returns how many. */
export async function forgetEventsBefore(kysely: Kysely<Tables>, time: Date): Promise<number> {
  let forgotten = 0
  for (;;) {
    const oldest = await kysely
      .selectFrom('audit_events')
      .select(['id', 'time'])
      .orderBy('id')
      .limit(ROWS_AT_ONCE)
      .execute()
    const due = oldest.findIndex((row) => row.time >= time.toISOString())
    const count = due < 0 ? oldest.length : due
    const last = oldest[count - 1]
    if (!last) return forgotten
    await kysely.deleteFrom('audit_events').where('id', '<=', last.id).execute()
    forgotten += count
    if (count < ROWS_AT_ONCE) return forgotten
  }
}

/** Does so now and every hour. */
export function keepForDays(
  days: number,
  options: {
    readonly kysely: Kysely<Tables>
    readonly clock: Clock
    readonly log: Pick<Logger, 'info' | 'error'>
  },
): { close(): Promise<void> } {
  const { kysely, clock, log } = options
  const round = async (): Promise<void> => {
    try {
      const count = await forgetEventsBefore(
        kysely,
        new Date(clock.now().getTime() - days * DAY_MS),
      )
      if (count > 0) log.info({ count, days }, 'audit events forgotten')
    } catch (error) {
      log.error({ err: error }, 'audit events could not be forgotten')
    }
  }
  let running = round()
  const timer = setInterval(() => {
    running = running.then(round)
  }, ROUND_MS).unref()
  return {
    close() {
      clearInterval(timer)
      return running
    },
  }
}
