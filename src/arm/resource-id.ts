/**
 * A parsed ARM id. `type` is `Namespace/type/subtype`; `names` has one name for each type segment.
 * Ids keep the case they were written in; `key` is the lower-case form that compares and indexes.
 */
export interface ResourceId {
  readonly id: string
  readonly key: string
  readonly subscriptionId?: string
  readonly resourceGroup?: string
  readonly namespace?: string
  readonly type: string
  readonly name: string
  readonly names: readonly string[]
  /** The id of what it lies in: parent resource, group, subscription; undefined for a subscription. */
  readonly parent?: string
}

export const keyOf = (id: string): string => id.toLowerCase()

export const isSameId = (a: string, b: string): boolean => keyOf(a) === keyOf(b)

/** Whether `id` is `scope` or lies within it. */
export function isWithin(id: string, scope: string): boolean {
  const [inner, outer] = [keyOf(id), keyOf(scope)]
  return outer === '/' || inner === outer || inner.startsWith(`${outer}/`)
}

const NAME = /^[^<>%&:\\?/\p{Cc}]{1,260}$/u

/**
 * Parses a subscription, a resource group, or a resource in either (extension resources too: what follows the
 * last `/providers/` decides type and name). Returns undefined for anything else.
 */
export function parseResourceId(text: string): ResourceId | undefined {
  const id = text.replace(/\/+/g, '/').replace(/\/$/, '')
  const parts = id.split('/').slice(1)
  if (!id.startsWith('/') || parts.some((part) => !NAME.test(part))) return undefined
  const key = keyOf(id)

  const providersAt = parts.map((part) => part.toLowerCase()).lastIndexOf('providers')
  const scope = parseScope(providersAt < 0 ? parts : parts.slice(0, providersAt))
  if (!scope) return undefined
  if (providersAt < 0) return { id, key, ...scope }

  const [namespace, ...rest] = parts.slice(providersAt + 1)
  if (!namespace || rest.length < 2 || rest.length % 2 !== 0) return undefined
  const types = rest.filter((_, index) => index % 2 === 0)
  const names = rest.filter((_, index) => index % 2 === 1)
  const scopeId = `/${parts.slice(0, providersAt).join('/')}`
  const parent =
    names.length > 1 ? `/${parts.slice(0, -2).join('/')}` : scopeId === '/' ? undefined : scopeId
  return {
    id,
    key,
    ...(scope.subscriptionId && { subscriptionId: scope.subscriptionId }),
    ...(scope.resourceGroup && { resourceGroup: scope.resourceGroup }),
    namespace,
    type: [namespace, ...types].join('/'),
    name: names.at(-1) ?? '',
    names,
    ...(parent && { parent }),
  }
}

type Scope = Pick<
  ResourceId,
  'subscriptionId' | 'resourceGroup' | 'type' | 'name' | 'names' | 'parent'
>

function parseScope(parts: readonly string[]): Scope | undefined {
  if (parts.length === 0) return { type: '', name: '', names: [] }
  // An extension's scope may itself be a resource; what counts of it is where it lies.
  if (parts.map((part) => part.toLowerCase()).includes('providers')) {
    const outer = parseResourceId(`/${parts.join('/')}`)
    return outer
  }
  const [subscriptions, subscriptionId, groups, resourceGroup] = parts
  if (subscriptions?.toLowerCase() !== 'subscriptions' || !subscriptionId) return undefined
  if (parts.length === 2) {
    return {
      subscriptionId,
      type: 'Microsoft.Resources/subscriptions',
      name: subscriptionId,
      names: [subscriptionId],
    }
  }
  if (parts.length !== 4 || groups?.toLowerCase() !== 'resourcegroups' || !resourceGroup) {
    return undefined
  }
  return {
    subscriptionId,
    resourceGroup,
    type: 'Microsoft.Resources/resourceGroups',
    name: resourceGroup,
    names: [resourceGroup],
    parent: `/subscriptions/${subscriptionId}`,
  }
}
