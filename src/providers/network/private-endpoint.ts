import { isDeepStrictEqual } from 'node:util'
import { ArmError } from '../../arm/arm-error.ts'
import {
  type Context,
  defineResourceType,
  type PrivateLinkTarget,
  type Resource,
} from '../../arm/resource-type.ts'
import { API_VERSIONS } from './api-versions.ts'
import {
  DISCONNECTED,
  firstState,
  newConnectionId,
  type StoredConnection,
  shownState,
  writeConnection,
} from './endpoint-connection.ts'
import { newInterfaceId, writeInterface } from './endpoint-interface.ts'
import { settleMembers } from './endpoint-members.ts'
import {
  connectionOf,
  findGroup,
  requireCreatable,
  requireSameEndpoint,
} from './endpoint-request.ts'
import type { AddressHolders } from './linked-subnet.ts'
import { presentEndpoint } from './present-endpoint.ts'
import { ZONE_GROUPS } from './private-dns-zone-group-schema.ts'
import {
  type AskedConnection,
  connectionsOf,
  PRIVATE_ENDPOINTS,
  type PrivateEndpointProperties,
  privateEndpointProperties,
} from './private-endpoint-schema.ts'
import { RESOURCE_NAME } from './resource-name.ts'

type Endpoint = Resource<PrivateEndpointProperties>

export const createPrivateEndpoint = (holders: AddressHolders) =>
  defineResourceType({
    type: PRIVATE_ENDPOINTS,
    apiVersions: API_VERSIONS,
    location: 'required',
    properties: privateEndpointProperties,
    name: RESOURCE_NAME,
    etag: 'weak',
    patch: 'tags',
    references: ({ properties }) => [
      properties.subnet.id,
      ...connectionsOf(properties).map((each) => each.properties.privateLinkServiceId),
    ],

    async validate(next, previous, context) {
      if (!previous) return requireCreatable(next, context)
      requireSameEndpoint(next, previous)
    },

    provision: (next, context, previous) =>
      previous ? asBefore(previous.properties) : create(next, context, holders),

    async provisioned(stored, context, previous) {
      if (!previous) await writeConnection(stored, context)
      await writeInterface(stored, context)
    },

    async deprovision(last, context) {
      const { interfaceId, connectionId } = last.properties
      for (const group of await context.children(last.id, ZONE_GROUPS))
        await context.delete(group.id)
      if (connectionId !== undefined) await context.erase(connectionId)
      if (interfaceId !== undefined) await context.erase(interfaceId)
    },

    async reconcile(current, context) {
      if (current.properties.connectionState?.status === 'Disconnected') return undefined
      const properties = await follow(current, context, holders)
      if (isDeepStrictEqual(properties, current.properties)) return undefined
      await writeInterface({ ...current, properties }, context)
      return properties
    },

    present: presentEndpoint,
  })

async function create(
  next: Endpoint,
  context: Context,
  holders: AddressHolders,
): Promise<Partial<PrivateEndpointProperties>> {
  const connection = connectionOf(next.properties)
  const target = await targetOf(connection, context)
  const group = target && findGroup(target, connection.properties.groupIds[0])
  const subnet = await context.get(next.properties.subnet.id)
  if (!target || !group || !subnet) throw new Error(`${next.id} lost its target`)
  const interfaceId = newInterfaceId(next, context)
  if (await context.get(interfaceId)) throw interfaceExists(interfaceId)
  const properties = {
    ...next.properties,
    ...withTarget(next.properties, target.resource.id),
    subnet: { id: subnet.id },
  }
  return {
    ...properties,
    resourceGuid: context.uuid(),
    interfaceId,
    connectionId: newConnectionId(target, context),
    connectionState: firstState(connection),
    members: await settleMembers({ id: next.id, interfaceId, properties }, group, context, holders),
    zoneNames: [...group.zoneNames],
  }
}

// Nothing but tags and addresses for members to come can change; what was said in another case is kept as it was.
const asBefore = (previous: PrivateEndpointProperties): Partial<PrivateEndpointProperties> => ({
  subnet: previous.subnet,
  privateLinkServiceConnections: previous.privateLinkServiceConnections,
  manualPrivateLinkServiceConnections: previous.manualPrivateLinkServiceConnections,
  customNetworkInterfaceName: previous.customNetworkInterfaceName,
})

function withTarget(properties: PrivateEndpointProperties, targetId: string) {
  const point = (connections: PrivateEndpointProperties['privateLinkServiceConnections']) =>
    connections.map((each) => ({
      ...each,
      properties: { ...each.properties, privateLinkServiceId: targetId },
    }))
  return {
    privateLinkServiceConnections: point(properties.privateLinkServiceConnections),
    manualPrivateLinkServiceConnections: point(properties.manualPrivateLinkServiceConnections),
  }
}

const targetOf = (
  connection: AskedConnection,
  context: Context,
): Promise<PrivateLinkTarget | undefined> =>
  context.privateLinkTarget(connection.properties.privateLinkServiceId)

/** The endpoint's properties as its connection and its target have them now. */
async function follow(
  current: Endpoint,
  context: Context,
  holders: AddressHolders,
): Promise<PrivateEndpointProperties> {
  const { properties } = current
  const { connectionId, interfaceId } = properties
  if (connectionId === undefined || interfaceId === undefined) return properties
  const stored = await context.get<StoredConnection>(connectionId)
  const connection = connectionOf(properties)
  const target = await targetOf(connection, context)
  const group = target && findGroup(target, connection.properties.groupIds[0])
  if (!stored || !group) return { ...properties, connectionState: DISCONNECTED }
  return {
    ...properties,
    connectionState: shownState(stored.properties.privateLinkServiceConnectionState),
    members: await settleMembers(
      { id: current.id, interfaceId, properties },
      group,
      context,
      holders,
    ),
    zoneNames: [...group.zoneNames],
  }
}

const interfaceExists = (id: string) =>
  new ArmError(409, {
    code: 'Conflict',
    message: `Network interface ${id} exists already and cannot be taken for a private endpoint.`,
  })
