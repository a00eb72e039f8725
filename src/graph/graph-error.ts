import { randomUUID } from 'node:crypto'

/** A refusal in the words of Microsoft Graph. */
export class GraphError extends Error {
  override readonly name = 'GraphError'
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
    this.code = code
  }

  /** https://learn.microsoft.com/graph/errors */
  toBody(now: Date, clientRequestId: string | undefined): object {
    const id = randomUUID()
    return {
      error: {
        code: this.code,
        message: this.message,
        innerError: {
          date: now.toISOString().slice(0, 19),
          'request-id': id,
          'client-request-id': clientRequestId ?? id,
        },
      },
    }
  }
}

export const badRequest = (message: string): GraphError =>
  new GraphError(400, 'Request_BadRequest', message)

export const notFound = (id: string): GraphError =>
  new GraphError(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  )

export const denied = (): GraphError =>
  new GraphError(
    403,
    'Authorization_RequestDenied',
    'Insufficient privileges to complete the operation.',
  )

/** Whatever was thrown; the inside of a failure stays in `cause`. */
export function toGraphError(thrown: unknown): GraphError {
  if (thrown instanceof GraphError) return thrown
  if (thrown instanceof Error && thrown.name === 'PrincipalExists') {
    return badRequest('Another object with the same value for property displayName already exists.')
  }
  if (thrown instanceof Error && thrown.name === 'InvalidPrincipalName') {
    return badRequest(thrown.message)
  }
  // Fastify's own refusals of a body are the client's fault.
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new GraphError(status, 'BadRequest', 'Unable to read JSON request payload.')
  }
  return new GraphError(500, 'InternalServerError', 'The request failed.', { cause: thrown })
}
