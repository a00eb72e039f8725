import type { Principal } from '../identity/principal.ts'

/** A request to the control plane, parsed as far as every route needs it. */
export interface ArmRequest {
  readonly method: string
  /** Decoded, without empty ones: slashes may be repeated. */
  readonly segments: readonly string[]
  /** A query parameter by its name, in any case. */
  query(name: string): string | undefined
  header(name: string): string | undefined
  readonly body: unknown
  /** `https://management.azure.com`, as the client called it. */
  readonly baseUrl: string
  /** Path and query as they came. */
  readonly url: string
  readonly apiVersion: string
  readonly principal: Principal
}

export interface ArmAnswer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type Handler = (request: ArmRequest) => Promise<ArmAnswer>
