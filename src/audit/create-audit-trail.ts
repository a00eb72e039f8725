import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'
import type { ChangeRecorder, RegistryEvents } from '../registry/events/registry-events.ts'
import type { Tables } from '../storage/tables.ts'
import { insertEvents } from './audit-rows.ts'
import { textOf } from './event-text.ts'

/** How long an event that changed nothing may be in memory alone. */
const WRITE_AFTER_MS = 500
/** What waits here while it cannot be written, as on a full disk. */
const WAITING_MAX = 20_000

/** Keeps what is done to registries. Reading it is `createAuditReader`'s. */
export interface AuditTrail extends RegistryEvents, ChangeRecorder {
  /** As `note`, of an event that another process has made a text of (`textOf`). */
  keep(text: string): void
  /** How many events could not be kept. */
  dropped(): number
  /** Writes what waits. */
  flush(): Promise<void>
  /** Writes what waits, for the last time. */
  close(): Promise<void>
}

/**
 * Changes are written in their own transaction: what is acknowledged is in the trail. Logins, pulls and refusals are
 * written together, half a second after the first of them, so that a pull waits for no disk.
 */
export function createAuditTrail(options: {
  readonly kysely: Kysely<Tables>
  readonly clock: Clock
  readonly log: Pick<Logger, 'error'>
}): AuditTrail {
  const { kysely, clock, log } = options
  let waiting: string[] = []
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  const later = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      void flush()
    }, WRITE_AFTER_MS)
  }

  async function write(): Promise<void> {
    if (waiting.length === 0) return
    const events = waiting
    waiting = []
    try {
      await kysely.transaction().execute((transaction) => insertEvents(transaction, events))
    } catch (error) {
      log.error({ err: error, events: events.length }, 'the audit trail could not be written')
      waiting = [...events, ...waiting]
      dropExcess()
      later()
    }
  }

  function dropExcess(): void {
    const excess = waiting.length - WAITING_MAX
    if (excess <= 0) return
    waiting = waiting.slice(excess)
    dropped += excess
  }

  function flush(): Promise<void> {
    writing = writing.then(write)
    return writing
  }

  function keep(text: string): void {
    waiting.push(text)
    if (waiting.length > WAITING_MAX + 1000) dropExcess()
    later()
  }

  return {
    keep,
    note: (event) => keep(textOf(event)),

    async record(transaction, changes, occasion) {
      const durationMs = clock.now().getTime() - Date.parse(occasion.time)
      await insertEvents(
        transaction,
        changes.map((change) => textOf({ table: 'repository', occasion, durationMs, ...change })),
      )
    },

    dropped: () => dropped,
    flush,

    async close() {
      clearTimeout(timer)
      timer = undefined
      await flush()
      clearTimeout(timer)
    },
  }
}
