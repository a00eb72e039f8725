import type { GatewayError } from './arm-error.ts'
import { type Catalogue, GROUP_TYPE } from './catalogue.ts'
import { invalidNamespace, invalidResourceType, pathNotServed } from './gateway-errors.ts'
import { parseResourceId, type ResourceId } from './resource-id.ts'
import type { Provider, ResourceType } from './resource-type.ts'

/** What a path names. `scope` is the id of what the members of a collection lie in. */
export type Target =
  | { readonly kind: 'resource'; readonly type: ResourceType; readonly id: ResourceId }
  | {
      readonly kind: 'collection'
      readonly types: readonly ResourceType[]
      readonly scope: string
    }
  | {
      readonly kind: 'action'
      readonly type: ResourceType
      readonly id: ResourceId
      readonly action: string
      readonly segments: readonly string[]
    }
  | {
      readonly kind: 'subscriptionAction'
      readonly provider: Provider
      readonly subscriptionId: string
      readonly action: string
    }

/** @throws ArmError 404 InvalidResourceNamespace, InvalidResourceType, or NotFound for what is no ARM path at all. */
export function resolveTarget(
  catalogue: Catalogue,
  segments: readonly string[],
  apiVersion: string,
): Target {
  const providersAt = segments.map((segment) => segment.toLowerCase()).lastIndexOf('providers')
  if (providersAt < 0) return resolveGroup(catalogue, segments)
  const scope = segments.slice(0, providersAt)
  const [namespace, ...rest] = segments.slice(providersAt + 1)
  if (namespace === undefined) throw pathNotServed()
  const provider = catalogue.provider(namespace)
  if (!provider) throw invalidNamespace(namespace)
  const scopeId = scope.length > 0 ? parseResourceId(`/${scope.join('/')}`) : undefined
  if (scope.length > 0 && !scopeId) throw pathNotServed()

  const found = walk(catalogue, provider, rest)
  const outermost = catalogue.type(`${provider.namespace}/${rest[0] ?? ''}`)
  if (found && !outermost?.extension) {
    // Ordinary types lie in a group; a subscription as a whole only lists them.
    const lists = found.kind === 'collection' && found.used === 1
    const fits = scopeId && !scopeId.namespace && (scopeId.resourceGroup || lists)
    if (!fits) throw invalidResourceType(provider.namespace, apiVersion)
  }
  const path = [...scope, 'providers', provider.namespace]
  if (!found) {
    const [action, ...more] = rest
    const subscriptionId = scopeId?.subscriptionId
    const known = action !== undefined && findKey(provider.subscriptionActions, action)
    if (known && more.length === 0 && subscriptionId && scope.length === 2) {
      return { kind: 'subscriptionAction', provider, subscriptionId, action: known }
    }
    throw invalidResourceType(provider.namespace, apiVersion)
  }
  const inner = rest.slice(0, found.used)
  const idText = `/${[...path, ...inner].join('/')}`
  if (found.kind === 'collection') {
    const parentPath = inner.slice(0, -1)
    const scopeText =
      parentPath.length > 0 ? `/${[...path, ...parentPath].join('/')}` : `/${scope.join('/')}`
    return { kind: 'collection', types: found.types, scope: scopeText }
  }
  const id = parseResourceId(idText)
  if (!id) throw pathNotServed()
  return onResource(found.type, id, rest.slice(found.used), () =>
    invalidResourceType(provider.namespace, apiVersion),
  )
}

function onResource(
  type: ResourceType,
  id: ResourceId,
  remaining: readonly string[],
  unknown: () => GatewayError,
): Target {
  const [action, ...segments] = remaining
  if (action === undefined) return { kind: 'resource', type, id }
  const known = findKey(type.actions, action)
  if (!known) throw unknown()
  return { kind: 'action', type, id, action: known, segments }
}

function resolveGroup(catalogue: Catalogue, segments: readonly string[]): Target {
  const [subscriptions, subscriptionId, groups, name, ...remaining] = segments
  const type = catalogue.type(GROUP_TYPE)
  const fits =
    subscriptions?.toLowerCase() === 'subscriptions' && groups?.toLowerCase() === 'resourcegroups'
  if (!fits || !type) throw pathNotServed()
  if (name === undefined) {
    return { kind: 'collection', types: [type], scope: `/subscriptions/${subscriptionId}` }
  }
  const id = parseResourceId(`/subscriptions/${subscriptionId}/resourceGroups/${name}`)
  if (!id) throw pathNotServed()
  return onResource(type, id, remaining, pathNotServed)
}

type Walked =
  | { readonly kind: 'resource'; readonly type: ResourceType; readonly used: number }
  | { readonly kind: 'collection'; readonly types: readonly ResourceType[]; readonly used: number }

/** Follows type and name by turns as far as types are known. */
function walk(
  catalogue: Catalogue,
  provider: Provider,
  rest: readonly string[],
): Walked | undefined {
  let type: ResourceType | undefined
  for (let at = 0; at < rest.length; at += 2) {
    const segment = rest[at] ?? ''
    const inner = catalogue.type(`${type?.type ?? provider.namespace}/${segment}`)
    const isLast = at === rest.length - 1
    const together = isLast && type ? catalogue.collection(type.type, segment) : undefined
    if (together) return { kind: 'collection', types: together, used: at + 1 }
    if (!inner) return type && { kind: 'resource', type, used: at }
    if (isLast) return { kind: 'collection', types: [inner], used: at + 1 }
    type = inner
  }
  return type && { kind: 'resource', type, used: rest.length }
}

function findKey(
  record: Readonly<Record<string, unknown>> | undefined,
  name: string,
): string | undefined {
  return Object.keys(record ?? {}).find((key) => key.toLowerCase() === name.toLowerCase())
}
