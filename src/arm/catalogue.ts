import type { Provider, ResourceType } from './resource-type.ts'

/** Everything that exists as a kind, looked up without regard to case. */
export interface Catalogue {
  readonly providers: readonly Provider[]
  /** The names of the types that have a `reconcile`. */
  readonly reconciled: readonly string[]
  provider(namespace: string): Provider | undefined
  /** `Namespace/type[/subtype]`. */
  type(name: string): ResourceType | undefined
  /** The types that `<parent type>/<segment>` lists together. */
  collection(parentType: string, segment: string): readonly ResourceType[] | undefined
}

/** The type of resource groups, which is part of the grammar of ids. */
export const GROUP_TYPE = 'Microsoft.Resources/resourceGroups'

/**
 * Providers of one namespace count as one.
 *
 * @throws Error for a type that is declared twice, or lies outside its provider's namespace.
 */
export function createCatalogue(declared: readonly Provider[]): Catalogue {
  const providers = mergeNamespaces(declared)
  const byNamespace = new Map(providers.map((each) => [each.namespace.toLowerCase(), each]))
  const types = new Map<string, ResourceType>()
  const collections = new Map<string, readonly ResourceType[]>()
  for (const provider of providers) {
    for (const type of provider.types) {
      const key = type.type.toLowerCase()
      if (types.has(key)) throw new Error(`${type.type} is declared twice`)
      if (!key.startsWith(`${provider.namespace.toLowerCase()}/`)) {
        throw new Error(`${type.type} is not in ${provider.namespace}`)
      }
      types.set(key, type)
    }
  }
  for (const [path, members] of providers.flatMap((each) =>
    Object.entries(each.collections ?? {}),
  )) {
    collections.set(
      path.toLowerCase(),
      members.map((name) => {
        const type = types.get(name.toLowerCase())
        if (!type) throw new Error(`${path} lists ${name}, which is not declared`)
        return type
      }),
    )
  }
  return {
    providers,
    reconciled: [...types.values()].filter((each) => each.reconcile).map(({ type }) => type),
    provider: (namespace) => byNamespace.get(namespace.toLowerCase()),
    type: (name) => types.get(name.toLowerCase()),
    collection: (parentType, segment) => collections.get(`${parentType}/${segment}`.toLowerCase()),
  }
}

function mergeNamespaces(declared: readonly Provider[]): readonly Provider[] {
  const merged = new Map<string, Provider>()
  for (const provider of declared) {
    const key = provider.namespace.toLowerCase()
    const before = merged.get(key)
    merged.set(key, {
      ...(before ?? provider),
      types: [...(before?.types ?? []), ...provider.types],
      subscriptionActions: { ...before?.subscriptionActions, ...provider.subscriptionActions },
      collections: { ...before?.collections, ...provider.collections },
    })
  }
  return [...merged.values()]
}

/** The RBAC actions of a type begin with this. */
export const actionPrefix = (type: string): string =>
  type === GROUP_TYPE ? 'Microsoft.Resources/subscriptions/resourceGroups' : type
