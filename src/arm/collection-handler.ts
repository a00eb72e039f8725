import { actionPrefix } from './catalogue.ts'
import type { ArmAnswer, ArmRequest } from './exchange.ts'
import {
  authorizationFailed,
  methodNotAllowed,
  resourceGroupNotFound,
  resourceNotFound,
} from './gateway-errors.ts'
import { pageOf } from './paging.ts'
import { requireGroup, requireSubscription } from './parents.ts'
import { presentResource } from './present-resource.ts'
import type { Engine } from './resource-handlers.ts'
import { keyOf, parseResourceId } from './resource-id.ts'
import type { Context, Resource, ResourceType } from './resource-type.ts'
import { seesSubscription } from './subscription-routes.ts'
import type { Target } from './target.ts'

/** GET of what lies in a subscription, a group or a resource. */
export async function handleCollection(
  engine: Engine,
  request: ArmRequest,
  { types, scope }: Extract<Target, { kind: 'collection' }>,
): Promise<ArmAnswer> {
  if (request.method !== 'GET') throw methodNotAllowed(request.method)
  const context = engine.transactions.reading(request.principal)
  const scopeId = parseResourceId(scope)
  if (scopeId) requireSubscription(engine.services, scopeId)
  const members: { readonly type: ResourceType; readonly resource: Resource }[] = []
  for (const type of types) {
    await engine.guards.registered(type.type.slice(0, type.type.indexOf('/')))
    for (const resource of await readable(engine, request, type, scope, context)) {
      members.push({ type, resource })
    }
  }
  return pageOf(request, members, ({ type, resource }) =>
    presentResource(type, resource, context, request.apiVersion),
  )
}

/**
 * Everything for whoever may read at the scope. Others see, of what lies in a subscription or a group, what they may
 * read one by one.
 *
 * @throws ArmError 403 AuthorizationFailed where that is nothing; in a subscription that they see the list is empty.
 */
async function readable(
  engine: Engine,
  request: ArmRequest,
  type: ResourceType,
  scope: string,
  context: Context,
): Promise<readonly Resource[]> {
  const action = `${actionPrefix(type.type)}/read`
  if (context.isAllowed(action, scope)) {
    await requireScope(engine, context, scope)
    return membersOf(engine, request, type, scope, context)
  }
  if (type.location !== 'none' && !parseResourceId(scope)?.namespace) {
    const all = await membersOf(engine, request, type, scope, context)
    const own = all.filter(({ id }) => context.isAllowed(action, id))
    if (own.length > 0) return own
    if (isSubscriptionWide(scope) && (await seesSubscription(engine, request.principal))) return []
  }
  throw authorizationFailed(request.principal, action, scope)
}

async function requireScope(engine: Engine, context: Context, scope: string): Promise<void> {
  const id = parseResourceId(scope)
  if (!id) return
  await requireGroup(engine.services, context.get, id)
  const isSubscription = !id.namespace && !id.resourceGroup
  if (isSubscription || (await context.get(id.id))) return
  throw id.namespace ? resourceNotFound(id) : resourceGroupNotFound(id.name)
}

async function membersOf(
  engine: Engine,
  request: ArmRequest,
  type: ResourceType,
  scope: string,
  context: Context,
): Promise<readonly Resource[]> {
  const { rows } = engine.transactions
  if (type.list) return type.list(scope, request.query('$filter'), context)
  return isSubscriptionWide(scope)
    ? rows.byType(type.type, keyOf(scope))
    : rows.byParent(keyOf(scope), type.type)
}

const isSubscriptionWide = (scope: string) => {
  const id = parseResourceId(scope)
  return id !== undefined && !id.namespace && !id.resourceGroup
}
