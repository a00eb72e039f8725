import { actionPrefix, GROUP_TYPE } from './catalogue.ts'
import type { ArmRequest } from './exchange.ts'
import { resourceGroupNotFound } from './gateway-errors.ts'
import { parseListFilter } from './list-filter.ts'
import { pageOf } from './paging.ts'
import type { Engine } from './resource-handlers.ts'
import { keyOf } from './resource-id.ts'
import type { Context, Resource } from './resource-type.ts'
import type { Parameters, Route } from './routes.ts'
import { requireVisible } from './subscription-routes.ts'

const SHOWN_MEMBERS = ['sku', 'kind', 'managedBy', 'identity', 'plan', 'zones']

/** The lists of whatever there is, in a subscription or a group. */
export function resourceListRoutes(engine: Engine): readonly Route[] {
  const { settings } = engine.services

  const list = async (request: ArmRequest, { subscription, group }: Parameters) => {
    await requireVisible(engine, request.principal, subscription)
    const context = engine.transactions.reading(request.principal)
    const base = `/subscriptions/${settings.subscriptionId}`
    const scope = group === undefined ? base : `${base}/resourceGroups/${group}`
    if (group !== undefined && !(await context.get(scope))) throw resourceGroupNotFound(group)
    const passes = parseListFilter(request.query('$filter'))
    const expands = (request.query('$expand') ?? '').split(',').map((name) => name.trim())
    const resources = await trackedBelow(engine, scope)
    const visible = resources.filter((each) => passes(each) && isVisible(context, each))
    return pageOf(request, visible, (each) => summary(engine, request, each, expands))
  }

  return [
    { method: 'GET', path: 'subscriptions/{subscription}/resources', handle: list },
    {
      method: 'GET',
      path: 'subscriptions/{subscription}/resourceGroups/{group}/resources',
      handle: list,
    },
  ]
}

/** Resources that have a location, as ARM lists them; proxies are seen at their parents only. */
async function trackedBelow(engine: Engine, scope: string): Promise<readonly Resource[]> {
  const { catalogue } = engine.services
  const all = await engine.transactions.rows.below(keyOf(scope))
  return all.filter(({ type }) => {
    const location = catalogue.type(type)?.location
    return location !== undefined && location !== 'none' && type !== GROUP_TYPE
  })
}

const isVisible = (context: Context, { type, id }: Resource) =>
  context.isAllowed(`${actionPrefix(type)}/read`, id)

async function summary(
  engine: Engine,
  request: ArmRequest,
  resource: Resource,
  expands: readonly string[],
): Promise<unknown> {
  const { id, name, type, location, tags, systemData } = resource
  const top = {
    ...resource.top,
    ...engine.services.catalogue.type(type)?.presentTop?.(resource, request.apiVersion),
  }
  const shown = Object.entries(top).filter(([member]) => SHOWN_MEMBERS.includes(member))
  const state = resource.properties.provisioningState ?? 'Succeeded'
  return {
    id,
    name,
    type,
    ...Object.fromEntries(shown),
    ...(location !== undefined && { location }),
    ...(tags && { tags }),
    ...(expands.includes('createdTime') && { createdTime: systemData.createdAt }),
    ...(expands.includes('changedTime') && { changedTime: systemData.lastModifiedAt }),
    ...(expands.includes('provisioningState') && { provisioningState: state }),
  }
}
