import { handleAction, handleSubscriptionAction } from './action-handlers.ts'
import { handleCollection } from './collection-handler.ts'
import { markBare } from './error-handler.ts'
import type { ArmAnswer, ArmRequest, Handler } from './exchange.ts'
import { type Engine, handleResource } from './resource-handlers.ts'
import { findRoute, type Route } from './routes.ts'
import { resolveTarget, type Target } from './target.ts'

/** Leads a request to what its path names. */
export function createDispatcher(engine: Engine, routes: readonly Route[]): Handler {
  return async (request) => {
    const found = findRoute(routes, request.method, request.segments)
    if (found) return found.route.handle(request, found.parameters)
    const target = resolveTarget(engine.services.catalogue, request.segments, request.apiVersion)
    try {
      return await handle(engine, request, target)
    } catch (error) {
      if ('type' in target && target.type.bareErrors) markBare(error)
      throw error
    }
  }
}

function handle(engine: Engine, request: ArmRequest, target: Target): Promise<ArmAnswer> {
  switch (target.kind) {
    case 'resource':
      return handleResource(engine, request, target)
    case 'collection':
      return handleCollection(engine, request, target)
    case 'action':
      return handleAction(engine, request, target)
    case 'subscriptionAction':
      return handleSubscriptionAction(engine, request, target)
  }
}
