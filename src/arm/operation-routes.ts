import { GatewayError } from './arm-error.ts'
import type { ArmRequest } from './exchange.ts'
import type { Engine } from './resource-handlers.ts'
import type { Parameters, Route } from './routes.ts'

/** Where clients wait for long operations. */
export function operationRoutes(engine: Engine): readonly Route[] {
  const handle = async (request: ArmRequest, { operation = '' }: Parameters) => {
    const answer = await engine.operations.poll(request, operation)
    if (answer) return answer
    throw new GatewayError(404, {
      code: 'OperationNotFound',
      message: `The operation '${operation}' could not be found.`,
    })
  }
  const inSubscription = 'subscriptions/{subscription}'
  const inRegion = `${inSubscription}/providers/{namespace}/locations/{location}`
  return [
    { method: 'GET', path: `${inSubscription}/operationresults/{operation}`, handle },
    { method: 'GET', path: `${inRegion}/operationResults/{operation}`, handle },
  ]
}
