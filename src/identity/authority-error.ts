import { randomUUID } from 'node:crypto'

/**
 * What the authority refuses with. The body is the one of
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#error-response
 */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError'
  readonly status: number
  /** The OAuth error, `invalid_client`. */
  readonly error: string
  /** The number after AADSTS: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
  readonly code: number

  constructor(status: number, error: string, code: number, text: string, options?: ErrorOptions) {
    super(text, options)
    this.status = status
    this.error = error
    this.code = code
  }

  /** The body, with ids and time of this very answer. */
  toBody(now: Date): Record<string, unknown> {
    const [traceId, correlationId] = [randomUUID(), randomUUID()]
    const timestamp = `${now.toISOString().slice(0, 19).replace('T', ' ')}Z`
    return {
      error: this.error,
      error_description: `AADSTS${this.code}: ${this.message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [this.code],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
    }
  }
}

/** Whatever was thrown, as an error of the authority; the inside of a failure stays in `cause`. */
export function toAuthorityError(thrown: unknown): AuthorityError {
  if (thrown instanceof AuthorityError) return thrown
  // Fastify's own refusals of a body are the client's fault.
  if (thrown instanceof Error && 'statusCode' in thrown && isClientError(thrown.statusCode)) {
    return new AuthorityError(
      thrown.statusCode,
      'invalid_request',
      900144,
      "The request body must be 'application/x-www-form-urlencoded' and hold the parameters of the grant.",
    )
  }
  return new AuthorityError(
    500,
    'server_error',
    90033,
    'A transient error has occurred. Please try again.',
    {
      cause: thrown,
    },
  )
}

const isClientError = (status: unknown): status is number =>
  typeof status === 'number' && status >= 400 && status < 500
