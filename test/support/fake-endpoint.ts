import Type from 'typebox'
import { defineResourceType, type Provider, type Resource } from '../../src/arm/resource-type.ts'

/**
 * A private endpoint as bare as can be, for tests of what endpoints connect to: it asks its target, writes its
 * connection there and follows both.
 */
const privateEndpoint = defineResourceType({
  type: 'Microsoft.Network/privateEndpoints',
  apiVersions: ['2022-01-01'],
  location: 'required',
  etag: 'weak',
  properties: Type.Object({
    target: Type.String(),
    isManual: Type.Boolean({ default: false }),
    members: Type.Array(Type.String(), { default: [] }),
    status: Type.String({ default: '' }),
  }),
  references: ({ properties }) => [properties.target],

  async validate({ id, properties }, previous, context) {
    if (!previous) await context.acceptEndpoint(properties.target, id)
  },

  async provisioned({ id, name, properties }, context, previous) {
    if (previous) return
    const status = properties.isManual ? 'Pending' : 'Approved'
    await context.write(`${properties.target}/privateEndpointConnections/${name}.1`, {
      properties: {
        privateEndpoint: { id },
        privateLinkServiceConnectionState: {
          status,
          description: properties.isManual ? '' : 'Auto-Approved',
        },
        provisioningState: 'Succeeded',
      },
    })
  },

  async reconcile({ name, properties }, context) {
    const target = await context.privateLinkTarget(properties.target)
    const connection = await context.get<ConnectionProperties>(
      `${properties.target}/privateEndpointConnections/${name}.1`,
    )
    return {
      ...properties,
      members: target?.groups.flatMap((group) => group.members.map((it) => it.fqdn)) ?? [],
      status: connection?.properties.privateLinkServiceConnectionState.status ?? 'Disconnected',
    }
  },
})

type ConnectionProperties = Resource<{
  privateLinkServiceConnectionState: { status: string }
}>['properties']

export const fakeEndpoints: Provider = {
  namespace: 'Microsoft.Network',
  registeredByDefault: true,
  types: [privateEndpoint],
}
