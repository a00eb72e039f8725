import { actionPrefix } from './catalogue.ts'
import type { ArmRequest } from './exchange.ts'
import { authorizationFailed, invalidContent, notRegistered } from './gateway-errors.ts'
import type { Provider, ResourceType } from './resource-type.ts'
import type { Services } from './services.ts'
import { isObject } from './shape.ts'

/** What stands before every handler. */
export interface Guards {
  /** @throws ArmError 403 AuthorizationFailed. `operation` is `read`, `write`, `delete`, or `<name>/action`. */
  allow(request: ArmRequest, type: ResourceType, operation: string, scope: string): void
  /** The same for an action that is named in full. */
  allowAction(request: ArmRequest, action: string, scope: string): void
  /** @throws ArmError 409 MissingSubscriptionRegistration */
  registered(namespace: string): Promise<void>
}

export function createGuards(
  services: Services,
  isRegistered: (provider: Provider) => Promise<boolean>,
): Guards {
  const allowAction: Guards['allowAction'] = (request, action, scope) => {
    if (services.authorizer.isAllowed(request.principal, action, scope)) return
    throw authorizationFailed(request.principal, action, scope)
  }
  return {
    allowAction,
    allow: (request, type, operation, scope) =>
      allowAction(request, `${actionPrefix(type.type)}/${operation}`, scope),
    async registered(namespace) {
      const provider = services.catalogue.provider(namespace)
      if (provider && !(await isRegistered(provider))) throw notRegistered(provider.namespace)
    },
  }
}

/** @throws ArmError 400 InvalidRequestContent where a body is missing or is no object. */
export function objectBody(request: ArmRequest): Readonly<Record<string, unknown>> {
  if (isObject(request.body)) return request.body
  throw invalidContent(
    request.body === undefined ? 'The request content is empty' : "An object is expected. Path ''",
  )
}
