import type { Metric, Metrics, Samples } from '../lib/metrics.ts'

/** The gauges of a worker, which are read when the server asks. */
export interface KeptGauges {
  readonly gauge: Metrics['gauge']
  /** Undefined where there is none of this name. */
  read(name: string): Promise<Samples | undefined>
}

export function keepGauges(): KeptGauges {
  const kept = new Map<string, Metric>()
  return {
    gauge: (metric) => void kept.set(metric.name, metric),
    read: async (name) => kept.get(name)?.read(),
  }
}

/**
 * The same metrics, but for gauges: what one tells is the sum of what it tells in this process and in the others.
 *
 * @param ask has the gauge of that name read in every other process
 */
export const withGaugesOf = (
  ask: (name: string) => Promise<readonly (Samples | undefined)[]>,
  metrics: Metrics,
): Metrics => ({
  ...metrics,
  gauge: (metric) =>
    metrics.gauge({
      ...metric,
      read: async () =>
        [...(await ask(metric.name)), await metric.read()].reduce<Samples>(sumOf, {}),
    }),
})

function sumOf(sum: Samples, samples: Samples = {}): Samples {
  if (typeof samples === 'number') return (typeof sum === 'number' ? sum : 0) + samples
  if (typeof sum === 'number') return sum
  const all = { ...sum }
  for (const [label, value] of Object.entries(samples)) all[label] = (all[label] ?? 0) + value
  return all
}
