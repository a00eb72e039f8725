import { readOnly } from '../../arm/marks.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { NAME_PATTERN } from './resource-name.ts'

export const NETWORK_INTERFACES = 'Microsoft.Network/networkInterfaces'

/** What an address stands for where the interface belongs to a private endpoint; empty while it is not approved. */
const privateLinkConnectionProperties = Type.Object({
  groupId: Type.String(),
  requiredMemberName: Type.String(),
  fqdns: Type.Array(Type.String()),
})

const ipConfiguration = Type.Object({
  name: Type.String({ pattern: NAME_PATTERN }),
  properties: Type.Object({
    privateIPAddress: Type.Optional(Type.String()),
    privateIPAllocationMethod: Type.Enum(['Dynamic', 'Static'], { default: 'Dynamic' }),
    privateIPAddressVersion: Type.Enum(['IPv4'], { default: 'IPv4' }),
    primary: Type.Optional(Type.Boolean()),
    subnet: Type.Object({ id: Type.String() }),
    privateLinkConnectionProperties: Type.Optional(readOnly(privateLinkConnectionProperties)),
  }),
})

export const interfaceProperties = Type.Object({
  ipConfigurations: Type.Array(ipConfiguration, { default: [] }),
  dnsSettings: Type.Object(
    {
      dnsServers: Type.Array(Type.String(), { default: [] }),
      internalDnsNameLabel: Type.Optional(Type.String()),
    },
    { default: {} },
  ),
  enableIPForwarding: Type.Boolean({ default: false }),
  enableAcceleratedNetworking: Type.Boolean({ default: false }),
  networkSecurityGroup: Type.Optional(Type.Object({ id: Type.String() })),
  resourceGuid: Type.Optional(readOnly(Type.String())),
  privateEndpoint: Type.Optional(readOnly(Type.Object({ id: Type.String() }))),
})

export type InterfaceProperties = Static<typeof interfaceProperties>
export type IpConfiguration = Static<typeof ipConfiguration>
