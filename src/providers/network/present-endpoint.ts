import type { Context, Resource } from '../../arm/resource-type.ts'
import { connectionPath } from './endpoint-request.ts'
import { ZONE_GROUPS } from './private-dns-zone-group-schema.ts'
import {
  type AskedConnection,
  type ConnectionState,
  connectionsOf,
  isApproved,
  PRIVATE_ENDPOINTS,
  type PrivateEndpointProperties,
} from './private-endpoint-schema.ts'

type Endpoint = Resource<PrivateEndpointProperties>

/** What a client sees of an endpoint; its own memory is turned into the service's members. */
export async function presentEndpoint(
  stored: Endpoint,
  context: Context,
): Promise<Record<string, unknown>> {
  const { properties } = stored
  const { connectionState, interfaceId, members = [] } = properties
  const zoneGroups = await context.children(stored.id, ZONE_GROUPS)
  // With a zone group the names are that group's business, and the service shows none here.
  const showsNames = isApproved(properties) && zoneGroups.length === 0
  const presentWay = (way: AskedConnection['way']) =>
    connectionsOf(properties)
      .filter((connection) => connection.way === way)
      .map((connection) => presentConnection(stored, connection, connectionState))
  return {
    provisioningState: 'Succeeded',
    resourceGuid: properties.resourceGuid,
    privateLinkServiceConnections: presentWay('automatic'),
    manualPrivateLinkServiceConnections: presentWay('manual'),
    customNetworkInterfaceName: properties.customNetworkInterfaceName,
    subnet: properties.subnet,
    ipConfigurations: properties.ipConfigurations.map((each) => ({
      name: each.name,
      id: `${stored.id}/ipConfigurations/${each.name}`,
      etag: `W/"${stored.etag}"`,
      type: `${PRIVATE_ENDPOINTS}/ipConfigurations`,
      properties: { provisioningState: 'Succeeded', ...each.properties },
    })),
    networkInterfaces: interfaceId === undefined ? [] : [{ id: interfaceId }],
    customDnsConfigs: showsNames
      ? members.map(({ fqdn, address }) => ({ fqdn, ipAddresses: [address] }))
      : [],
  }
}

function presentConnection(
  endpoint: Endpoint,
  connection: AskedConnection,
  state: ConnectionState | undefined,
) {
  const id = connectionPath(endpoint.id, connection)
  return {
    name: connection.name,
    id,
    etag: `W/"${endpoint.etag}"`,
    type: `${PRIVATE_ENDPOINTS}/${id.split('/').at(-2)}`,
    properties: {
      provisioningState: 'Succeeded',
      ...connection.properties,
      privateLinkServiceConnectionState: state,
    },
  }
}
