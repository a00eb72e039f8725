import { GROUP_TYPE } from './catalogue.ts'
import type { ArmAnswer, ArmRequest } from './exchange.ts'
import { methodNotAllowed, resourceGroupNotFound, resourceNotFound } from './gateway-errors.ts'
import { pageOf } from './paging.ts'
import { requireGroup, requireSubscription } from './parents.ts'
import { presentResource } from './present-resource.ts'
import type { Engine } from './resource-handlers.ts'
import { keyOf, parseResourceId } from './resource-id.ts'
import type { Context, Resource, ResourceType } from './resource-type.ts'
import type { Target } from './target.ts'

/** GET of what lies in a subscription, a group or a resource. */
export async function handleCollection(
  engine: Engine,
  request: ArmRequest,
  { types, scope }: Extract<Target, { kind: 'collection' }>,
): Promise<ArmAnswer> {
  if (request.method !== 'GET') throw methodNotAllowed(request.method)
  const context = engine.transactions.reading(request.principal)
  await requireScope(engine, context, scope)
  const members: { readonly type: ResourceType; readonly resource: Resource }[] = []
  for (const type of types) {
    await engine.guards.registered(type.type.slice(0, type.type.indexOf('/')))
    // Groups are listed as far as one may see them; anything else needs the right to read at the scope.
    if (type.type !== GROUP_TYPE) engine.guards.allow(request, type, 'read', scope)
    for (const resource of await membersOf(engine, request, type, scope, context)) {
      members.push({ type, resource })
    }
  }
  return pageOf(request, members, ({ type, resource }) =>
    presentResource(type, resource, context, request.apiVersion),
  )
}

async function requireScope(engine: Engine, context: Context, scope: string): Promise<void> {
  const id = parseResourceId(scope)
  if (!id) return
  requireSubscription(engine.services, id)
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
  const all = type.list
    ? await type.list(scope, request.query('$filter'), context)
    : isSubscriptionWide(scope)
      ? await rows.byType(type.type, keyOf(scope))
      : await rows.byParent(keyOf(scope), type.type)
  if (type.type !== GROUP_TYPE) return all
  return all.filter((group) =>
    context.isAllowed('Microsoft.Resources/subscriptions/resourceGroups/read', group.id),
  )
}

const isSubscriptionWide = (scope: string) => {
  const id = parseResourceId(scope)
  return id !== undefined && !id.namespace && !id.resourceGroup
}
