import type { Principal } from '../identity/principal.ts'
import { REGIONS } from '../lib/regions.ts'
import { subscriptionNotFound } from './gateway-errors.ts'
import type { Engine } from './resource-handlers.ts'
import { isWithin, keyOf } from './resource-id.ts'
import type { Route } from './routes.ts'

/** Tenants, subscriptions and their regions. */
export function subscriptionRoutes(engine: Engine): readonly Route[] {
  const { subscriptionId, tenantId } = engine.services.settings
  return [
    {
      method: 'GET',
      path: 'tenants',
      handle: async () => ({ status: 200, body: { value: [tenant(tenantId)] } }),
    },
    {
      method: 'GET',
      path: 'subscriptions',
      async handle({ principal }) {
        const isVisible = await seesSubscription(engine, principal)
        const value = isVisible ? [subscription(subscriptionId, tenantId)] : []
        return { status: 200, body: { value, count: { type: 'Total', value: value.length } } }
      },
    },
    {
      method: 'GET',
      path: 'subscriptions/{subscription}',
      async handle(request, parameters) {
        await requireVisible(engine, request.principal, parameters.subscription)
        return { status: 200, body: subscription(subscriptionId, tenantId) }
      },
    },
    {
      method: 'GET',
      path: 'subscriptions/{subscription}/locations',
      async handle(request, parameters) {
        await requireVisible(engine, request.principal, parameters.subscription)
        const value = REGIONS.map((region) => location(subscriptionId, region))
        return { status: 200, body: { value } }
      },
    },
  ]
}

/** @throws ArmError 404 SubscriptionNotFound where it is another, or the principal has no role anywhere in it. */
export async function requireVisible(
  engine: Engine,
  principal: Principal,
  subscriptionId: string | undefined,
): Promise<void> {
  const isOurs =
    subscriptionId !== undefined &&
    keyOf(subscriptionId) === keyOf(engine.services.settings.subscriptionId)
  if (!isOurs || !(await seesSubscription(engine, principal))) {
    throw subscriptionNotFound(subscriptionId ?? '')
  }
}

/** Whether it is listed for the principal: by a role on it, or on anything in it. */
export async function seesSubscription(engine: Engine, principal: Principal): Promise<boolean> {
  const { authorizer, settings } = engine.services
  const scope = `/subscriptions/${settings.subscriptionId}`
  if (authorizer.isAllowed(principal, 'Microsoft.Resources/subscriptions/read', scope)) return true
  // Somebody with a role on a single resource sees the subscription that it lies in.
  const assignments = await engine.transactions.rows.byType(
    'Microsoft.Authorization/roleAssignments',
  )
  return assignments.some(
    ({ id, properties }) =>
      isWithin(id, scope) && keyOf(String(properties.principalId)) === principal.objectId,
  )
}

const tenant = (tenantId: string) => ({
  id: `/tenants/${tenantId}`,
  tenantId,
  displayName: 'Causeway',
  tenantCategory: 'Home',
})

const subscription = (subscriptionId: string, tenantId: string) => ({
  id: `/subscriptions/${subscriptionId}`,
  authorizationSource: 'RoleBased',
  managedByTenants: [],
  subscriptionId,
  tenantId,
  displayName: 'Causeway',
  state: 'Enabled',
  subscriptionPolicies: {
    locationPlacementId: 'Internal_2014-09-01',
    quotaId: 'Internal_2014-09-01',
    spendingLimit: 'Off',
  },
})

const location = (
  subscriptionId: string,
  region: { readonly name: string; readonly displayName: string },
) => ({
  id: `/subscriptions/${subscriptionId}/locations/${region.name}`,
  name: region.name,
  displayName: region.displayName,
  regionalDisplayName: region.displayName,
  metadata: { regionType: 'Physical', regionCategory: 'Recommended' },
})
