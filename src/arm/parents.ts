import { GROUP_TYPE } from './catalogue.ts'
import {
  parentResourceNotFound,
  resourceGroupNotFound,
  subscriptionNotFound,
} from './gateway-errors.ts'
import type { Rows } from './read-context.ts'
import { keyOf, parseResourceId, type ResourceId } from './resource-id.ts'
import type { ResourceType } from './resource-type.ts'
import type { Services } from './services.ts'

/**
 * Makes sure that everything above a resource exists.
 *
 * @returns the id that a new resource gets: what lies above it in its stored case, types in Azure's.
 * @throws ArmError 404 SubscriptionNotFound, ResourceGroupNotFound, ParentResourceNotFound.
 */
export async function placeOf(
  services: Services,
  rows: Rows,
  type: ResourceType,
  id: ResourceId,
): Promise<{ readonly id: string }> {
  requireSubscription(services, id)
  await requireGroup(services, (group) => rows.byKey(keyOf(group)), id)
  const parent = await parentId(services, rows, type, id)
  const segment = type.type.slice(type.type.lastIndexOf('/') + 1)
  if (type.type === GROUP_TYPE) return { id: `${parent}/resourceGroups/${id.name}` }
  if (id.names.length > 1) return { id: `${parent}/${segment}/${id.name}` }
  const namespace = type.type.slice(0, type.type.indexOf('/'))
  return { id: `${parent}/providers/${namespace}/${segment}/${id.name}` }
}

/** @throws ArmError 404 SubscriptionNotFound */
export function requireSubscription(services: Services, id: ResourceId): void {
  const { subscriptionId } = id
  if (subscriptionId && keyOf(subscriptionId) !== keyOf(services.settings.subscriptionId)) {
    throw subscriptionNotFound(subscriptionId)
  }
}

/** @throws ArmError 404 ResourceGroupNotFound where a resource's group is not there. */
export async function requireGroup(
  services: Services,
  find: (id: string) => Promise<unknown>,
  id: ResourceId,
): Promise<void> {
  if (!id.resourceGroup || !id.namespace) return
  const { subscriptionId } = services.settings
  const group = await find(`/subscriptions/${subscriptionId}/resourceGroups/${id.resourceGroup}`)
  if (!group) throw resourceGroupNotFound(id.resourceGroup)
}

async function parentId(
  services: Services,
  rows: Rows,
  type: ResourceType,
  id: ResourceId,
): Promise<string> {
  if (!id.parent) return ''
  const parent = parseResourceId(id.parent)
  if (!parent || (!parent.namespace && !parent.resourceGroup)) {
    return `/subscriptions/${services.settings.subscriptionId}`
  }
  const stored = await rows.byKey(parent.key)
  if (!stored) throw parentResourceNotFound(type.type, id.parent)
  return stored.id
}
