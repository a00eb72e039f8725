import { type Static, Type } from '../../lib/schema.ts'

export const SUBNETS = 'Microsoft.Network/virtualNetworks/subnets'

const reference = Type.Object({ id: Type.String() })

export const subnetProperties = Type.Object({
  /** Clients say one or the other; what they said is shown again. */
  addressPrefix: Type.Optional(Type.String()),
  addressPrefixes: Type.Optional(Type.Array(Type.String())),
  networkSecurityGroup: Type.Optional(reference),
  routeTable: Type.Optional(reference),
  natGateway: Type.Optional(reference),
  serviceEndpoints: Type.Optional(Type.Array(Type.Unknown())),
  delegations: Type.Array(Type.Unknown(), { default: [] }),
  privateEndpointNetworkPolicies: Type.Enum(
    ['Enabled', 'Disabled', 'NetworkSecurityGroupEnabled', 'RouteTableEnabled'],
    { default: 'Disabled' },
  ),
  privateLinkServiceNetworkPolicies: Type.Enum(['Enabled', 'Disabled'], { default: 'Enabled' }),
  defaultOutboundAccess: Type.Optional(Type.Boolean()),
})

export type SubnetProperties = Static<typeof subnetProperties>
