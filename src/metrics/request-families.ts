import { BOUNDS, type RequestTotal } from '../lib/request-totals.ts'
import type { Family, Sample } from './exposition.ts'

/** What Prometheus is told of requests: a histogram, and bytes by plane. */
export const requestFamilies = (totals: readonly RequestTotal[]): readonly Family[] => [
  {
    name: 'causeway_http_request_duration_seconds',
    help: 'Requests by plane, operation and class of status, from head to last byte.',
    type: 'histogram',
    samples: totals.flatMap(samplesOf),
  },
  bytesFamily('received', 'requests', totals, ({ bytesReceived }) => bytesReceived),
  bytesFamily('sent', 'answers', totals, ({ bytesSent }) => bytesSent),
]

function samplesOf({ plane, operation, code, counts, seconds }: RequestTotal): readonly Sample[] {
  const labels = { plane, operation, code }
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

function bytesFamily(
  way: 'received' | 'sent',
  of: string,
  totals: readonly RequestTotal[],
  bytesOf: (total: RequestTotal) => number,
): Family {
  const byPlane = new Map<string, number>()
  for (const total of totals) {
    byPlane.set(total.plane, (byPlane.get(total.plane) ?? 0) + bytesOf(total))
  }
  return {
    name: `causeway_http_${way}_bytes_total`,
    help: `Bytes of ${of}, heads included, counted when a request is over.`,
    type: 'counter',
    samples: [...byPlane].map(([plane, value]) => ({ labels: { plane }, value })),
  }
}
