import type { ArmAnswer, ArmRequest } from './exchange.ts'
import { methodNotAllowed, subscriptionNotFound } from './gateway-errors.ts'
import { requireSubscription } from './parents.ts'
import { type Engine, requireResource } from './resource-handlers.ts'
import { keyOf } from './resource-id.ts'
import type { Target } from './target.ts'

type ActionTarget = Extract<Target, { kind: 'action' }>

/** POST or GET of a sub-operation of one resource. */
export async function handleAction(
  engine: Engine,
  request: ArmRequest,
  target: ActionTarget,
): Promise<ArmAnswer> {
  const { type, id, segments } = target
  const { guards, transactions } = engine
  const action = type.actions?.[target.action]
  if (!action || action.method !== request.method) throw methodNotAllowed(request.method)
  requireSubscription(engine.services, id)
  await guards.registered(id.namespace ?? 'Microsoft.Resources')
  const byDefault = action.method === 'GET' ? 'read' : `${target.action}/action`
  guards.allow(request, type, action.permission ?? byDefault, id.id)

  const reading = transactions.reading(request.principal)
  if (action.asynchronous) {
    const resource = await requireResource(engine, type, id, reading)
    await action.check?.(resource, request.body, reading)
    const operation = await engine.operations.begin({
      kind: 'action',
      target: resource.id,
      targetMadeAt: resource.systemData.createdAt,
      principal: request.principal,
      action: target.action,
      body: request.body,
      segments,
    })
    const path = `/subscriptions/${id.subscriptionId}/providers/${id.namespace}/locations/${resource.location ?? 'global'}/operationResults/${operation}`
    return engine.operations.accepted(request, path)
  }
  if (action.method === 'GET' || action.writesNothing) {
    const resource = await requireResource(engine, type, id, reading)
    return ok(await action.run(resource, request.body, reading, segments))
  }
  return ok(
    await transactions.mutate(request.principal, async (unit) => {
      const resource = await requireResource(engine, type, id, unit.context)
      return action.run(resource, request.body, unit.context, segments)
    }),
  )
}

/** What a namespace answers at subscription level. */
export async function handleSubscriptionAction(
  engine: Engine,
  request: ArmRequest,
  target: Extract<Target, { kind: 'subscriptionAction' }>,
): Promise<ArmAnswer> {
  const { provider, subscriptionId } = target
  const { guards, transactions, services } = engine
  const action = provider.subscriptionActions?.[target.action]
  if (!action || action.method !== request.method) throw methodNotAllowed(request.method)
  if (keyOf(subscriptionId) !== keyOf(services.settings.subscriptionId)) {
    throw subscriptionNotFound(subscriptionId)
  }
  await guards.registered(provider.namespace)
  const isWhole = keyOf(action.permission).startsWith(`${keyOf(provider.namespace)}/`)
  guards.allowAction(
    request,
    isWhole ? action.permission : `${provider.namespace}/${action.permission}`,
    `/subscriptions/${subscriptionId}`,
  )
  if (action.method === 'GET') {
    return ok(
      await action.run(subscriptionId, request.body, transactions.reading(request.principal)),
    )
  }
  return ok(
    await transactions.mutate(request.principal, (unit) =>
      action.run(subscriptionId, request.body, unit.context),
    ),
  )
}

const ok = (body: unknown): ArmAnswer => ({ status: 200, ...(body !== undefined && { body }) })
