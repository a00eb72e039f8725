import type { IncomingHttpHeaders } from 'node:http'

export interface OutsideRequest {
  readonly url: string
  /** GET by default. */
  readonly method?: 'GET' | 'HEAD'
  readonly headers?: Readonly<Record<string, string>>
  /** For the log: on whose behalf, and what for. */
  readonly who: string
  readonly what: string
  readonly bytesMax: number
  readonly timeoutSeconds: number
  readonly signal?: AbortSignal
}

export interface OutsideAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Where it came from, after redirects. */
  readonly url: string
  readonly body: AsyncIterable<Uint8Array>
  discard(): void
}

/** What the registry plane needs of the world beyond this machine: GET and HEAD, redirects followed, credentials kept from other hosts. */
export interface Outside {
  /** @throws EgressError, as reading the body does */
  fetch(request: OutsideRequest): Promise<OutsideAnswer>
}
