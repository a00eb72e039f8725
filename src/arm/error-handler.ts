import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { isStorageFull } from '../storage/blob-store.ts'
import { ArmError, GatewayError } from './arm-error.ts'
import { pathNotServed } from './gateway-errors.ts'

const bareFailures = new WeakSet<object>()

/** Marks what was thrown on behalf of a type that answers without the `error` envelope. */
export function markBare(thrown: unknown): void {
  if (thrown instanceof ArmError && !(thrown instanceof GatewayError)) bareFailures.add(thrown)
}

/** Renders whatever was thrown as an ARM error. Installed once, on the control plane's own instance. */
export function renderArmErrors(plane: FastifyInstance, log: Logger): void {
  plane.setErrorHandler((thrown, request, reply) => {
    const error = toArmError(thrown)
    if (error.status >= 500) {
      log.error({ err: error.cause ?? error, request: request.id }, 'request failed')
    }
    return sendError(error, reply)
  })
  plane.setNotFoundHandler(() => {
    throw pathNotServed()
  })
}

/** The same for what never reaches a handler: a path that cannot be decoded. */
export function renderFrameworkError(
  thrown: unknown,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  sendError(toArmError(thrown), reply)
}

function sendError(error: ArmError, reply: FastifyReply): FastifyReply {
  if (error instanceof GatewayError) reply.header('x-ms-failure-cause', 'gateway')
  return reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .send(bareFailures.has(error) ? error.body : error.toJSON())
}

function toArmError(thrown: unknown): ArmError {
  if (thrown instanceof ArmError) return thrown
  // Fastify refuses oversized bodies and the like before a handler runs; those are the client's fault.
  if (thrown instanceof Error && 'statusCode' in thrown && isClientError(thrown.statusCode)) {
    return new GatewayError(thrown.statusCode, {
      code: 'InvalidRequestContent',
      message: `The request content was invalid: ${thrown.message}`,
    })
  }
  if (isStorageFull(thrown)) {
    return new ArmError(
      507,
      { code: 'InsufficientStorage', message: 'The server has no space left.' },
      { cause: thrown },
    )
  }
  return new ArmError(
    500,
    { code: 'InternalServerError', message: 'The server failed to process the request.' },
    { cause: thrown },
  )
}

const isClientError = (status: unknown): status is number =>
  typeof status === 'number' && status >= 400 && status < 500
