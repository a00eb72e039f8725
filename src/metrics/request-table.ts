import type { RequestOutcome } from '../lib/metrics.ts'
import type { Family, Sample } from './exposition.ts'

/** Upper bounds in seconds: from a name that is looked up to a layer of some gigabytes. */
const BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
]
const CLASSES: readonly string[] = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx']

interface Series {
  readonly labels: Sample['labels']
  /** By the first bound that is not exceeded, the last by none. */
  readonly counts: Float64Array
  seconds: number
}

interface Bytes {
  received: number
  sent: number
}

/** Requests by what they were; as many series as there are planes, operations and classes of status. */
export interface RequestTable {
  add(outcome: RequestOutcome): void
  families(): readonly Family[]
}

/** Adding is a few look-ups and increments; it keeps nothing of the request. */
export function createRequestTable(): RequestTable {
  const byPlane = new Map<string, Map<string, Series>[]>()
  const bytes = new Map<string, Bytes>()

  function seriesOf({ plane, operation, status = 0 }: RequestOutcome): Series {
    const classes = getOrMake(byPlane, plane, () => CLASSES.map(() => new Map()))
    const index = Math.floor(status / 100)
    const byOperation = classes[index] ?? classes[0] ?? new Map<string, Series>()
    return getOrMake(byOperation, operation, () => ({
      labels: { plane, operation, code: CLASSES[index] ?? 'aborted' },
      counts: new Float64Array(BOUNDS.length + 1),
      seconds: 0,
    }))
  }

  const allSeries = () =>
    [...byPlane.values()].flatMap((classes) => classes.flatMap((each) => [...each.values()]))

  return {
    add(outcome) {
      const series = seriesOf(outcome)
      const { plane, seconds } = outcome
      const bucket = bucketOf(seconds)
      series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
      series.seconds += seconds
      const sum = getOrMake(bytes, plane, () => ({ received: 0, sent: 0 }))
      sum.received += outcome.bytesReceived
      sum.sent += outcome.bytesSent
    },

    families: () => [
      {
        name: 'causeway_http_request_duration_seconds',
        help: 'Requests by plane, operation and class of status, from head to last byte.',
        type: 'histogram',
        samples: allSeries().flatMap(samplesOf),
      },
      bytesFamily('received', 'requests', bytes),
      bytesFamily('sent', 'answers', bytes),
    ],
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

function samplesOf({ labels, counts, seconds }: Series): readonly Sample[] {
  let count = 0
  const buckets = [...BOUNDS, Number.POSITIVE_INFINITY].map((bound, index) => {
    count += counts[index] ?? 0
    const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound)
    return { suffix: '_bucket', labels: { ...labels, le }, value: count }
  })
  return [
    ...buckets,
    { suffix: '_sum', labels, value: seconds },
    { suffix: '_count', labels, value: count },
  ]
}

const bytesFamily = (
  way: keyof Bytes,
  of: string,
  bytes: ReadonlyMap<string, Readonly<Bytes>>,
): Family => ({
  name: `causeway_http_${way}_bytes_total`,
  help: `Bytes of ${of}, heads included, counted when a request is over.`,
  type: 'counter',
  samples: [...bytes].map(([plane, sum]) => ({ labels: { plane }, value: sum[way] })),
})
