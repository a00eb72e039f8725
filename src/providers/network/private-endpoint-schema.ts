import { readOnly } from '../../arm/marks.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { NAME_PATTERN } from './resource-name.ts'

export const PRIVATE_ENDPOINTS = 'Microsoft.Network/privateEndpoints'

const connection = Type.Object({
  name: Type.String({ pattern: NAME_PATTERN }),
  properties: Type.Object({
    privateLinkServiceId: Type.String(),
    groupIds: Type.Array(Type.String(), { default: [] }),
    requestMessage: Type.Optional(Type.String({ maxLength: 140 })),
  }),
})

const connectionState = Type.Object({
  status: Type.Enum(['Pending', 'Approved', 'Rejected', 'Disconnected']),
  description: Type.String(),
  actionsRequired: Type.String(),
})

/** An address chosen by the client for a member of the target. */
const staticConfiguration = Type.Object({
  name: Type.String({ pattern: NAME_PATTERN }),
  properties: Type.Object({
    groupId: Type.Optional(Type.String()),
    memberName: Type.Optional(Type.String()),
    privateIPAddress: Type.String(),
  }),
})

/** A host name of the target and the address that it has behind this endpoint. */
const member = Type.Object({
  groupId: Type.String(),
  name: Type.String(),
  fqdn: Type.String(),
  address: Type.String(),
  /** The interface's IP configuration. */
  configuration: Type.String(),
})

export const privateEndpointProperties = Type.Object({
  subnet: Type.Object({ id: Type.String() }),
  privateLinkServiceConnections: Type.Array(connection, { default: [] }),
  manualPrivateLinkServiceConnections: Type.Array(connection, { default: [] }),
  customNetworkInterfaceName: Type.String({ default: '', pattern: `^$|${NAME_PATTERN}` }),
  ipConfigurations: Type.Array(staticConfiguration, { default: [] }),
  resourceGuid: Type.Optional(readOnly(Type.String())),
  /** The rest is the endpoint's own memory; what a client sees is made from it. */
  connectionState: Type.Optional(readOnly(connectionState)),
  connectionId: Type.Optional(readOnly(Type.String())),
  interfaceId: Type.Optional(readOnly(Type.String())),
  members: Type.Optional(readOnly(Type.Array(member))),
  /** The private zones in which the members' names belong. */
  zoneNames: Type.Optional(readOnly(Type.Array(Type.String()))),
})

export type PrivateEndpointProperties = Static<typeof privateEndpointProperties>
export type Connection = Static<typeof connection>
export type ConnectionState = Static<typeof connectionState>
export type EndpointMember = Static<typeof member>

/** The one connection of an endpoint and which way it was asked for. */
export interface AskedConnection extends Connection {
  readonly way: 'automatic' | 'manual'
}

export function connectionsOf(properties: PrivateEndpointProperties): readonly AskedConnection[] {
  return [
    ...properties.privateLinkServiceConnections.map((each) => ({
      ...each,
      way: 'automatic' as const,
    })),
    ...properties.manualPrivateLinkServiceConnections.map((each) => ({
      ...each,
      way: 'manual' as const,
    })),
  ]
}

export const isApproved = (properties: PrivateEndpointProperties): boolean =>
  properties.connectionState?.status === 'Approved'
