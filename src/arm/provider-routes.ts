import { REGIONS } from '../lib/regions.ts'
import type { RegistrationRows } from '../storage/registration-rows.ts'
import type { ArmRequest } from './exchange.ts'
import { invalidNamespace } from './gateway-errors.ts'
import type { Engine } from './resource-handlers.ts'
import type { Provider, ResourceType } from './resource-type.ts'
import type { Parameters, Route } from './routes.ts'
import { requireVisible } from './subscription-routes.ts'

/** Resource providers: list, show, register, unregister. */
export function providerRoutes(engine: Engine, registrations: RegistrationRows): readonly Route[] {
  const { catalogue, settings } = engine.services
  const subscription = `/subscriptions/${settings.subscriptionId}`

  const present = async (provider: Provider) => ({
    id: `${subscription}/providers/${provider.namespace}`,
    namespace: provider.namespace,
    registrationPolicy: 'RegistrationRequired',
    resourceTypes: provider.types.map((type) => resourceType(provider, type)),
    registrationState: (await isRegistered(registrations, provider))
      ? 'Registered'
      : 'NotRegistered',
  })

  const find = (namespace = ''): Provider => {
    const provider = catalogue.provider(namespace)
    if (!provider) throw invalidNamespace(namespace)
    return provider
  }

  const show = async (request: ArmRequest, { subscription, namespace }: Parameters) => {
    if (subscription !== undefined) await requireVisible(engine, request.principal, subscription)
    return { status: 200, body: await present(find(namespace)) }
  }

  const list = async (request: ArmRequest, { subscription }: Parameters) => {
    if (subscription !== undefined) await requireVisible(engine, request.principal, subscription)
    return { status: 200, body: { value: await Promise.all(catalogue.providers.map(present)) } }
  }

  const change =
    (verb: 'register' | 'unregister') => async (request: ArmRequest, parameters: Parameters) => {
      await requireVisible(engine, request.principal, parameters.subscription)
      const provider = find(parameters.namespace)
      engine.guards.allowAction(request, `${provider.namespace}/${verb}/action`, subscription)
      const state = verb === 'register' ? 'Registered' : 'NotRegistered'
      await registrations.set(provider.namespace, state)
      return { status: 200, body: await present(provider) }
    }

  const one = 'subscriptions/{subscription}/providers/{namespace}'
  return [
    { method: 'GET', path: 'providers', handle: list },
    { method: 'GET', path: 'providers/{namespace}', handle: show },
    { method: 'GET', path: 'subscriptions/{subscription}/providers', handle: list },
    { method: 'GET', path: one, handle: show },
    { method: 'POST', path: `${one}/register`, handle: change('register') },
    { method: 'POST', path: `${one}/unregister`, handle: change('unregister') },
  ]
}

/** Whether the subscription may use a namespace. */
export async function isRegistered(
  registrations: RegistrationRows,
  provider: Provider,
): Promise<boolean> {
  const state = await registrations.get(provider.namespace)
  return state === undefined ? provider.registeredByDefault : state === 'Registered'
}

const resourceType = (provider: Provider, type: ResourceType) => ({
  resourceType: type.type.slice(provider.namespace.length + 1),
  locations:
    type.location === 'required'
      ? REGIONS.map((region) => region.displayName)
      : type.location === 'global'
        ? ['global']
        : [],
  apiVersions: type.apiVersions,
  capabilities: 'None',
})
