import type { Metric, Metrics } from '../lib/metrics.ts'
import { createRequestTotals, type RequestTotal } from '../lib/request-totals.ts'
import { CONTENT_TYPE, type Family, formatFamilies, type Sample } from './exposition.ts'
import { addProcessMetrics } from './process-metrics.ts'
import { requestFamilies } from './request-families.ts'

/** The metrics of this process in the text format that Prometheus reads. */
export interface Exposition {
  readonly contentType: string
  /** Reads everything; what cannot be read is left out. */
  text(): Promise<string>
}

export interface ExposedMetrics extends Metrics {
  readonly exposition: Exposition
  /** Counts requests that another process has added up. */
  requests(totals: readonly RequestTotal[]): void
}

/** https://prometheus.io/docs/practices/naming/ */
export function createMetrics(version: string): ExposedMetrics {
  const requests = createRequestTotals()
  const read: { readonly metric: Metric; readonly type: 'gauge' | 'counter' }[] = []
  const metrics: Metrics = {
    request: requests.add,
    gauge: (metric) => void read.push({ metric, type: 'gauge' }),
    counter: (metric) => void read.push({ metric, type: 'counter' }),
  }
  metrics.gauge({
    name: 'causeway_build_info',
    help: 'Always 1; the label tells what runs.',
    label: 'version',
    read: () => ({ [version]: 1 }),
  })
  addProcessMetrics(metrics)

  async function familyOf({ metric, type }: (typeof read)[number]): Promise<readonly Family[]> {
    const { name, help } = metric
    try {
      return [{ name, help, type, samples: await samplesOf(metric) }]
    } catch {
      return []
    }
  }

  return {
    ...metrics,
    requests: (totals) => totals.forEach(requests.merge),
    exposition: {
      contentType: CONTENT_TYPE,
      async text() {
        const families = await Promise.all(read.map(familyOf))
        return formatFamilies([...families.flat(), ...requestFamilies(requests.all())])
      },
    },
  }
}

async function samplesOf({ label, read }: Metric): Promise<readonly Sample[]> {
  const samples = await read()
  if (typeof samples === 'number') return [{ labels: {}, value: samples }]
  return Object.entries(samples).map(([value, sample]) => ({
    labels: { [label ?? 'kind']: value },
    value: sample,
  }))
}
