import type { RequestOutcome } from './metrics.ts'

/** Upper bounds in seconds: from a name that is looked up to a layer of some gigabytes. */
export const BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
]
const CLASSES: readonly string[] = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx']

/** Requests of one plane, operation and class of status, added up. Plain data. */
export interface RequestTotal {
  readonly plane: string
  readonly operation: string
  /** `2xx`, …; `aborted` where the client went before it had the answer. */
  readonly code: string
  /** By the first bound that a request did not exceed, the last by none. */
  readonly counts: Float64Array
  /** All that they took. */
  seconds: number
  bytesReceived: number
  bytesSent: number
}

/** Requests by what they were; as many totals as there are planes, operations and classes of status. */
export interface RequestTotals {
  /** A few look-ups and increments; nothing is kept of the request. */
  add(outcome: RequestOutcome): void
  /** Adds what another process has added up. */
  merge(total: RequestTotal): void
  all(): readonly RequestTotal[]
  /** All, and begins anew. */
  take(): readonly RequestTotal[]
}

type Key = Pick<RequestTotal, 'plane' | 'operation' | 'code'>

export function createRequestTotals(): RequestTotals {
  const byCode = new Map<string, Map<string, Map<string, RequestTotal>>>()

  function totalOf({ plane, operation, code }: Key): RequestTotal {
    const byPlane = getOrMake(byCode, code, () => new Map<string, Map<string, RequestTotal>>())
    const byOperation = getOrMake(byPlane, plane, () => new Map<string, RequestTotal>())
    return getOrMake(byOperation, operation, () => ({
      ...{ plane, operation, code, seconds: 0, bytesReceived: 0, bytesSent: 0 },
      counts: new Float64Array(BOUNDS.length + 1),
    }))
  }

  const all = () =>
    [...byCode.values()].flatMap((byPlane) =>
      [...byPlane.values()].flatMap((byOperation) => [...byOperation.values()]),
    )

  return {
    add({ plane, operation, status = 0, seconds, bytesReceived, bytesSent }) {
      const code = CLASSES[Math.floor(status / 100)] ?? 'aborted'
      const total = totalOf({ plane, operation, code })
      const bucket = bucketOf(seconds)
      total.counts[bucket] = (total.counts[bucket] ?? 0) + 1
      total.seconds += seconds
      total.bytesReceived += bytesReceived
      total.bytesSent += bytesSent
    },

    merge(other) {
      const total = totalOf(other)
      for (const [bucket, count] of other.counts.entries()) {
        total.counts[bucket] = (total.counts[bucket] ?? 0) + count
      }
      total.seconds += other.seconds
      total.bytesReceived += other.bytesReceived
      total.bytesSent += other.bytesSent
    },

    all,

    take() {
      const taken = all()
      byCode.clear()
      return taken
    },
  }
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

function bucketOf(seconds: number): number {
  let bucket = 0
  while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] ?? 0)) bucket += 1
  return bucket
}
