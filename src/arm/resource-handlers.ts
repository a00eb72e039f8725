import { GROUP_TYPE } from './catalogue.ts'
import { deleteResource } from './delete-resource.ts'
import type { ArmAnswer, ArmRequest } from './exchange.ts'
import { methodNotAllowed, parentResourceNotFound, resourceNotFound } from './gateway-errors.ts'
import { type Guards, objectBody } from './guards.ts'
import type { Operations } from './operations.ts'
import { requireGroup, requireSubscription } from './parents.ts'
import { patchResource } from './patch-resource.ts'
import type { Preconditions } from './preconditions.ts'
import { presentResource } from './present-resource.ts'
import { putResource } from './put-resource.ts'
import { parseResourceId, type ResourceId } from './resource-id.ts'
import type { Context, Resource, ResourceType } from './resource-type.ts'
import type { Services } from './services.ts'
import type { Target } from './target.ts'
import type { Transactions } from './transactions.ts'

type OneResource = Extract<Target, { kind: 'resource' }>

export interface Engine {
  readonly services: Services
  readonly transactions: Transactions
  readonly operations: Operations
  readonly guards: Guards
}

/** GET, HEAD, PUT, PATCH and DELETE of one resource. */
export async function handleResource(
  engine: Engine,
  request: ArmRequest,
  target: OneResource,
): Promise<ArmAnswer> {
  requireSubscription(engine.services, target.id)
  switch (request.method) {
    case 'GET':
      return read(engine, request, target)
    case 'HEAD':
      return { status: (await exists(engine, request, target)) ? 204 : 404 }
    case 'PUT':
      return write(engine, request, target)
    case 'PATCH':
      return patch(engine, request, target)
    case 'DELETE':
      return remove(engine, request, target)
    default:
      throw methodNotAllowed(request.method)
  }
}

/** The resource, or the 404 that its type has for it. */
export async function requireResource(
  engine: Engine,
  type: ResourceType,
  id: ResourceId,
  context: Context,
): Promise<Resource> {
  const resource = await context.get(id.id)
  if (resource) return resource
  await requireGroup(engine.services, context.get, id)
  throw await notFound(type, id, context)
}

async function read(engine: Engine, request: ArmRequest, { type, id }: OneResource) {
  engine.guards.allow(request, type, 'read', id.id)
  const context = engine.transactions.reading(request.principal)
  const resource = await requireResource(engine, type, id, context)
  return answer(200, type, resource, context, request)
}

async function exists(engine: Engine, request: ArmRequest, { type, id }: OneResource) {
  engine.guards.allow(request, type, 'read', id.id)
  return (await engine.transactions.reading(request.principal).get(id.id)) !== undefined
}

async function write(engine: Engine, request: ArmRequest, { type, id: asked }: OneResource) {
  const { guards, transactions } = engine
  await guards.registered(asked.namespace ?? 'Microsoft.Resources')
  guards.allow(request, type, 'write', asked.id)
  const id = homeOf(engine, type, asked)
  if (type.writable === 'never') throw methodNotAllowed(request.method)
  const body = objectBody(request)
  const { resource, created } = await transactions.mutate(request.principal, async (unit) => {
    if (type.writable === 'existing') await requireResource(engine, type, id, unit.context)
    const { location, tags, properties } = body
    const raw = { location, tags, properties, top: body }
    return putResource(unit, type, id, raw, preconditionsOf(request))
  })
  const status = created ? 201 : (type.replacedStatus ?? 200)
  return latest(engine, status, type, resource, request)
}

async function patch(engine: Engine, request: ArmRequest, { type, id: asked }: OneResource) {
  const { guards, transactions } = engine
  await guards.registered(asked.namespace ?? 'Microsoft.Resources')
  guards.allow(request, type, 'write', asked.id)
  const id = homeOf(engine, type, asked)
  if (type.writable === 'never' && type.patch !== 'tags') throw methodNotAllowed(request.method)
  const body = objectBody(request)
  const resource = await transactions.mutate(request.principal, async (unit) => {
    const previous = await requireResource(engine, type, id, unit.context)
    return patchResource(unit, type, id, previous, body, preconditionsOf(request))
  })
  return latest(engine, 200, type, resource, request)
}

async function remove(
  engine: Engine,
  request: ArmRequest,
  { type, id: asked }: OneResource,
): Promise<ArmAnswer> {
  const { guards, transactions, services } = engine
  guards.allow(request, type, 'delete', asked.id)
  const id = homeOf(engine, type, asked)
  if (type.writable === 'never') throw methodNotAllowed(request.method)
  if (type.type === GROUP_TYPE) return removeGroup(engine, request, { kind: 'resource', type, id })
  const existed = await transactions.mutate(request.principal, async (unit) => {
    const { rows } = unit.ledger
    await requireGroup(services, unit.context.get, id)
    const parent = parseResourceId(id.parent ?? '')
    if (parent?.namespace && !(await rows.byKey(parent.key))) {
      throw parentResourceNotFound(type.type, parent.id, 'delete')
    }
    return deleteResource(unit, type, id, preconditionsOf(request))
  })
  return { status: existed ? 200 : 204 }
}

/** Where a resource is kept that is the same from every scope. */
function homeOf({ services }: Engine, type: ResourceType, asked: ResourceId): ResourceId {
  const home = type.home?.(asked, services.settings)
  return (home !== undefined && parseResourceId(home)) || asked
}

async function removeGroup(
  engine: Engine,
  request: ArmRequest,
  { type, id }: OneResource,
): Promise<ArmAnswer> {
  const context = engine.transactions.reading(request.principal)
  const group = await requireResource(engine, type, id, context)
  const operation = await engine.operations.begin({
    kind: 'deleteGroup',
    target: group.id,
    targetMadeAt: group.systemData.createdAt,
    principal: request.principal,
  })
  const path = `/subscriptions/${id.subscriptionId}/operationresults/${operation}`
  return engine.operations.accepted(request, path)
}

async function notFound(type: ResourceType, id: ResourceId, context: Context) {
  if (!type.notFound) return resourceNotFound(id)
  const parent = parseResourceId(id.parent ?? '')
  const isOrphan = parent?.namespace && !(await context.get(parent.id))
  return isOrphan ? resourceNotFound(id) : type.notFound(id.id)
}

/** The answer to a write shows the committed state, what reconciling made of it included. */
async function latest(
  engine: Engine,
  status: number,
  type: ResourceType,
  written: Resource,
  request: ArmRequest,
): Promise<ArmAnswer> {
  const context = engine.transactions.reading(request.principal)
  const resource = (await context.get(written.id)) ?? written
  return answer(status, type, resource, context, request)
}

async function answer(
  status: number,
  type: ResourceType,
  resource: Resource,
  context: Context,
  request: ArmRequest,
): Promise<ArmAnswer> {
  const body = await presentResource(type, resource, context, request.apiVersion)
  const headers = type.etag === 'weak' ? { etag: `W/"${resource.etag}"` } : {}
  return { status, body, headers }
}

const preconditionsOf = (request: ArmRequest): Preconditions => ({
  ifMatch: request.header('if-match'),
  ifNoneMatch: request.header('if-none-match'),
})
