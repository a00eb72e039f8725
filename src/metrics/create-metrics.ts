import type { Metric, Metrics } from '../lib/metrics.ts'
import { CONTENT_TYPE, type Family, formatFamilies, type Sample } from './exposition.ts'
import { addProcessMetrics } from './process-metrics.ts'
import { createRequestTable } from './request-table.ts'

/** The metrics of this process in the text format that Prometheus reads. */
export interface Exposition {
  readonly contentType: string
  /** Reads everything; what cannot be read is left out. */
  text(): Promise<string>
}

/** https://prometheus.io/docs/practices/naming/ */
export function createMetrics(version: string): Metrics & { readonly exposition: Exposition } {
  const requests = createRequestTable()
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
    exposition: {
      contentType: CONTENT_TYPE,
      async text() {
        const families = await Promise.all(read.map(familyOf))
        return formatFamilies([...families.flat(), ...requests.families()])
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
