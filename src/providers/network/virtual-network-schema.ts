import { readOnly } from '../../arm/marks.ts'
import { type Cidr, parseCidr } from '../../lib/cidr.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { NAME_PATTERN } from './resource-name.ts'
import { subnetProperties } from './subnet-schema.ts'

export const VIRTUAL_NETWORKS = 'Microsoft.Network/virtualNetworks'

export const virtualNetworkProperties = Type.Object({
  addressSpace: Type.Object({ addressPrefixes: Type.Array(Type.String(), { minItems: 1 }) }),
  dhcpOptions: Type.Optional(
    Type.Object({ dnsServers: Type.Array(Type.String(), { default: [] }) }),
  ),
  flowTimeoutInMinutes: Type.Optional(Type.Integer({ minimum: 4, maximum: 30 })),
  /** Said by clients and kept as resources of their own: empty here. */
  subnets: Type.Optional(
    Type.Array(
      Type.Object({ name: Type.String({ pattern: NAME_PATTERN }), properties: subnetProperties }),
    ),
  ),
  virtualNetworkPeerings: Type.Array(Type.Unknown(), { default: [], maxItems: 0 }),
  enableDdosProtection: Type.Boolean({ default: false }),
  encryption: Type.Optional(
    Type.Object({
      enabled: Type.Boolean(),
      enforcement: Type.Optional(Type.Enum(['AllowUnencrypted', 'DropUnencrypted'])),
    }),
  ),
  bgpCommunities: Type.Optional(Type.Object({ virtualNetworkCommunity: Type.String() })),
  privateEndpointVNetPolicies: Type.Optional(Type.Enum(['Disabled', 'Basic'])),
  resourceGuid: Type.Optional(readOnly(Type.String())),
})

export type VirtualNetworkProperties = Static<typeof virtualNetworkProperties>
export type InlineSubnet = NonNullable<VirtualNetworkProperties['subnets']>[number]

/** The stored address space. */
export const addressSpaceOf = (properties: VirtualNetworkProperties): readonly Cidr[] =>
  properties.addressSpace.addressPrefixes.flatMap((text) => parseCidr(text) ?? [])
