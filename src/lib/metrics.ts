/** Who counts tells it here. Plain data throughout, so that it may come from another process. */
export interface Metrics {
  /** Counts a request that is over. */
  request(outcome: RequestOutcome): void
  /** A value that goes up and down; read only when somebody asks for the metrics. */
  gauge(metric: Metric): void
  /** A value that only grows until the process ends; read as a gauge is. */
  counter(metric: Metric): void
}

/** One request from its head to the last byte of its answer. */
export interface RequestOutcome {
  readonly plane: string
  /** Of a closed set: never a name that a client chose. */
  readonly operation: string
  /** Of the answer; undefined where the client went before it had all of it. */
  readonly status: number | undefined
  readonly seconds: number
  readonly bytesReceived: number
  readonly bytesSent: number
}

export interface Metric {
  /** In Prometheus' form, base unit last: `causeway_database_bytes`, `…_total` for a counter. */
  readonly name: string
  readonly help: string
  /** One number; or, with a label, one for each of its values, which must be few. */
  readonly label?: string
  readonly read: () => Samples | Promise<Samples>
}

export type Samples = number | Readonly<Record<string, number>>

/** Metrics that nobody reads. */
export const NO_METRICS: Metrics = { request: () => {}, gauge: () => {}, counter: () => {} }
