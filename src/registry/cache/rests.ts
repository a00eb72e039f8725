import type { Clock } from '../../lib/clock.ts'
import type { Fetched } from './upstream.ts'

type Failure = Extract<Fetched, { kind: 'failed' }>

const REST_SECONDS = 30
const REST_SECONDS_MAX = 15 * 60

/** Registries elsewhere that failed a moment ago and are left alone for a while. */
export interface Rests {
  of(host: string): Failure | undefined
  /** A refusal concerns one repository alone, and bad content one manifest: those begin none. */
  begin(host: string, failure: Failure): void
  end(host: string): void
}

export function createRests(clock: Clock): Rests {
  const resting = new Map<string, { readonly until: number; readonly failure: Failure }>()
  return {
    of(host) {
      const rest = resting.get(host)
      if (!rest) return undefined
      const left = rest.until - clock.now().getTime()
      if (left > 0) return { ...rest.failure, retryAfterSeconds: Math.ceil(left / 1000) }
      resting.delete(host)
      return undefined
    },
    begin(host, failure) {
      if (failure.reason !== 'throttled' && failure.reason !== 'unreachable') return
      const seconds = Math.min(failure.retryAfterSeconds ?? REST_SECONDS, REST_SECONDS_MAX)
      resting.set(host, { until: clock.now().getTime() + seconds * 1000, failure })
    },
    end: (host) => void resting.delete(host),
  }
}
