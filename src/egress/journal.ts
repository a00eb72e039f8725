import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'

/** What is noted of one request; written as one event when it is closed. Neither paths nor queries: they may hold signatures. */
export interface Journal {
  /** Begins with the next host; the returned function notes what came of it. */
  hop(host: string): (address: string, status: number) => void
  count(bytes: number): void
  /** Later calls do nothing. */
  close(outcome: string): void
}

interface HopEntry {
  readonly host: string
  address?: string
  status?: number
}

export function openJournal(
  { who, what, method = 'GET' }: { who: string; what: string; method?: string },
  { log, clock }: { log: Pick<Logger, 'info'>; clock: Clock },
): Journal {
  const startedAt = clock.now().getTime()
  const hops: HopEntry[] = []
  let bytes = 0
  let isOpen = true
  return {
    hop(host) {
      const entry: HopEntry = { host }
      hops.push(entry)
      return (address, status) => Object.assign(entry, { address, status })
    },
    count(more) {
      bytes += more
    },
    close(outcome) {
      if (!isOpen) return
      isOpen = false
      const milliseconds = clock.now().getTime() - startedAt
      log.info({ who, what, method, hops, bytes, outcome, milliseconds }, 'egress')
    },
  }
}
