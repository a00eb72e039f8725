/** How a client gets to a registry and who it is there. */
export interface Access {
  /** `https://name:port` as the client writes it. */
  readonly origin: string
  /** For a registry that asks: the challenge is followed. */
  readonly credentials?: { readonly user: string; readonly password: string }
}

export type PushMode = 'monolithic' | 'chunked' | 'streamed'

/** One measurement, as the parent asks its client for it. Sizes in bytes. */
export type Job =
  /** Pushes what the other jobs read. */
  | { readonly kind: 'fixture'; readonly bytes: number }
  | { readonly kind: 'manifests'; readonly concurrency: number; readonly seconds: number }
  | { readonly kind: 'heads'; readonly concurrency: number; readonly seconds: number }
  | { readonly kind: 'downloads'; readonly parallel: number; readonly times: number }
  | {
      readonly kind: 'push'
      readonly mode: PushMode
      readonly bytes: number
      readonly times: number
    }
  | { readonly kind: 'images'; readonly count: number; readonly parallel: number }

/** What was done between `go` and its end. */
export interface Outcome {
  /** Requests, images, or millions of bytes. */
  readonly units: number
  readonly seconds: number
  /** Milliseconds, where the job counts single requests or images. */
  readonly p50?: number
  readonly p99?: number
  /** Digests of large blobs that nobody will ask for again. */
  readonly spent?: readonly string[]
}

/** What the client says on its standard output, a line each. */
export type Said =
  | { readonly say: 'ready' }
  | { readonly say: 'done'; readonly outcome: Outcome }
  | { readonly say: 'failed'; readonly reason: string }

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)
