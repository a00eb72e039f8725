import { randomBytes } from 'node:crypto'
import { invalidProperty } from '../../arm/arm-error.ts'
import { readOnly, secret, writeOnly } from '../../arm/marks.ts'
import { parseResourceId } from '../../arm/resource-id.ts'
import {
  type Action,
  type Context,
  defineResourceType,
  type Resource,
} from '../../arm/resource-type.ts'
import { type Static, Type } from '../../lib/schema.ts'
import type { Callback } from '../../webhooks/webhook-source.ts'
import { API_VERSIONS } from './api-versions.ts'
import { childNotFound, quotaExceeded } from './registry-errors.ts'
import { regionsOf } from './registry-hosts.ts'
import { REPLICATION, type Registry, WEBHOOK } from './registry-properties.ts'
import { SKU_LIMITS, skuOf } from './sku.ts'
import { checkCustomHeaders, checkScope, checkServiceUri } from './webhook-rules.ts'

const webhookProperties = Type.Object({
  status: Type.Enum(['enabled', 'disabled'], { default: 'enabled' }),
  scope: Type.String({ default: '' }),
  actions: Type.Array(Type.Enum(['push', 'delete', 'quarantine', 'chart_push', 'chart_delete'])),
  provisioningState: Type.Optional(readOnly(Type.String())),
  serviceUri: Type.Optional(writeOnly(Type.String())),
  customHeaders: Type.Optional(writeOnly(Type.Record(Type.String(), Type.String()))),
  /** Tells this webhook from an earlier or later one of the same name. */
  uid: Type.Optional(readOnly(secret(Type.String()))),
  /** Where it is told, and with which headers and key: JSON, sealed. */
  callback: Type.Optional(readOnly(secret(Type.String()))),
})

export type WebhookProperties = Static<typeof webhookProperties>
export type Webhook = Resource<WebhookProperties>

/** What the control plane needs of the queue of webhooks. */
export interface WebhookDeliveries {
  /** Returns the id of the event. */
  ping(webhookUid: string): Promise<string>
  events(webhookUid: string): Promise<readonly unknown[]>
}

/** The uid that every stored webhook has. */
export function webhookUid({ id, properties }: Webhook): string {
  if (!properties.uid) throw new Error(`${id} has no uid`)
  return properties.uid
}

/** A receiver that is told of what is pushed to a registry and deleted from it. */
export const createWebhookType = (deliveries: WebhookDeliveries) =>
  defineResourceType({
    type: WEBHOOK,
    apiVersions: API_VERSIONS,
    location: 'required',
    etag: 'none',
    showsSystemData: true,
    properties: webhookProperties,
    name: /^[a-zA-Z0-9]{5,50}$/,
    notFound: childNotFound,

    async validate(next, previous, context) {
      const { serviceUri, customHeaders, scope, actions } = next.properties
      if (actions.length === 0) {
        throw invalidProperty('properties.actions', 'at least one action is needed.')
      }
      if (serviceUri !== undefined) checkServiceUri(serviceUri)
      else if (!previous) throw invalidProperty('properties.serviceUri', 'it is required.')
      if (customHeaders) checkCustomHeaders(customHeaders)
      checkScope(scope)
      if (previous) return
      const registry = await registryOf(next, context)
      await requireRegion(next, registry, context)
      const sku = skuOf(registry)
      const others = await context.children(registry.id, WEBHOOK)
      if (others.length >= SKU_LIMITS[sku].webhooks) throw quotaExceeded('webhooks', sku)
    },

    provision: ({ properties }, context, previous) => ({
      uid: properties.uid ?? context.uuid(),
      callback: sealedCallback(properties, previous, context),
      provisioningState: 'Succeeded',
    }),

    presentTop: () => ({ tags: {} }),
    present: async ({ properties }) => ({
      status: properties.status,
      scope: properties.scope,
      actions: properties.actions,
      provisioningState: 'Succeeded',
    }),

    actions: { ping: ping(deliveries), listEvents: listEvents(deliveries), getCallbackConfig },
  })

const ping = (deliveries: WebhookDeliveries): Action<WebhookProperties> => ({
  method: 'POST',
  writesNothing: true,
  run: async (webhook) => ({ id: await deliveries.ping(webhookUid(webhook)) }),
})

const listEvents = (deliveries: WebhookDeliveries): Action<WebhookProperties> => ({
  method: 'POST',
  writesNothing: true,
  run: async (webhook) => ({ value: await deliveries.events(webhookUid(webhook)) }),
})

/** Also shows the key of the signature, which the service does not have. */
const getCallbackConfig: Action<WebhookProperties> = {
  method: 'POST',
  writesNothing: true,
  run: async ({ properties }, _body, context) => {
    const { customHeaders, ...rest } = readCallback(properties, context.unseal)
    return { ...(Object.keys(customHeaders).length > 0 && { customHeaders }), ...rest }
  },
}

export function readCallback(
  { callback }: WebhookProperties,
  unseal: (sealed: string) => string,
): Callback {
  if (!callback) throw new Error('a stored webhook without its callback')
  return JSON.parse(unseal(callback))
}

/** What is not given stays as it is, the key always; the same again is no change. */
function sealedCallback(
  { serviceUri, customHeaders }: WebhookProperties,
  previous: Webhook | undefined,
  context: Context,
): string {
  const before = previous && readCallback(previous.properties, context.unseal)
  const after: Callback = {
    serviceUri: serviceUri ?? before?.serviceUri ?? '',
    customHeaders: customHeaders ?? before?.customHeaders ?? {},
    signingSecret: before?.signingSecret ?? randomBytes(32).toString('base64url'),
  }
  const text = JSON.stringify(after)
  const kept = JSON.stringify(before) === text ? previous?.properties.callback : undefined
  return kept ?? context.seal(text)
}

async function registryOf({ id }: Webhook, context: Context): Promise<Registry> {
  const registryId = parseResourceId(id)?.parent
  const registry = registryId && (await context.get<Registry['properties']>(registryId))
  if (!registry) throw new Error(`${id} lies in no registry`)
  return registry
}

/** How the service words this refusal is not verified. */
async function requireRegion({ location = '' }: Webhook, registry: Registry, context: Context) {
  const regions = regionsOf(registry, await context.children(registry.id, REPLICATION))
  if (regions.includes(location)) return
  throw invalidProperty(
    'location',
    `the registry '${registry.name}' is in ${regions.join(', ')}, not in '${location}'.`,
  )
}
