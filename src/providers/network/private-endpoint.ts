import { isDeepStrictEqual } from 'node:util'
import { ArmError } from '../../arm/arm-error.ts'
import {
  type Context,
  defineResourceType,
  type PrivateLinkTarget,
  type Resource,
} from '../../arm/resource-type.ts'
import { API_VERSIONS } from './api-versions.ts'
import { newInterfaceId, writeInterface } from './endpoint-interface.ts'
import { settleMembers } from './endpoint-members.ts'
import {
  connectionOf,
  connectionPath,
  findGroup,
  requireCreatable,
  requireSameEndpoint,
} from './endpoint-request.ts'
import { ZONE_GROUPS } from './private-dns-zone-group-schema.ts'
import {
  type AskedConnection,
  type ConnectionState,
  connectionsOf,
  isApproved,
  PRIVATE_ENDPOINTS,
  type PrivateEndpointProperties,
  privateEndpointProperties,
} from './private-endpoint-schema.ts'

type Endpoint = Resource<PrivateEndpointProperties>

const AUTO_APPROVED: ConnectionState = {
  status: 'Approved',
  description: 'Auto-Approved',
  actionsRequired: 'None',
}
const PENDING: ConnectionState = { status: 'Pending', description: '', actionsRequired: 'None' }
const DISCONNECTED: ConnectionState = {
  status: 'Disconnected',
  description: 'Deleted state',
  actionsRequired: 'None',
}

export const privateEndpoint = defineResourceType({
  type: PRIVATE_ENDPOINTS,
  apiVersions: API_VERSIONS,
  location: 'required',
  properties: privateEndpointProperties,
  name: /^[a-z0-9]([\w.-]{0,78}\w)?$/i,
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
    previous ? asBefore(previous.properties) : create(next, context),

  async provisioned(stored, context, previous) {
    if (!previous) await writeConnection(stored, context)
    await writeInterface(stored, context)
  },

  async deprovision(last, context) {
    const { interfaceId, connectionId } = last.properties
    for (const group of await context.children(last.id, ZONE_GROUPS)) await context.delete(group.id)
    if (connectionId !== undefined) await context.erase(connectionId)
    if (interfaceId !== undefined) await context.erase(interfaceId)
  },

  async reconcile(current, context) {
    if (current.properties.connectionState?.status === 'Disconnected') return undefined
    const properties = await follow(current, context)
    if (isDeepStrictEqual(properties, current.properties)) return undefined
    await writeInterface({ ...current, properties }, context)
    return properties
  },

  async present(stored, context) {
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
  },
})

async function create(
  next: Endpoint,
  context: Context,
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
  const [connectionType] = target.connectionType.split('/').slice(-1)
  const connectionName = `${target.resource.name}.${context.uuid().replaceAll('-', '')}`
  return {
    ...properties,
    resourceGuid: context.uuid(),
    interfaceId,
    connectionId: `${target.resource.id}/${connectionType}/${connectionName}`,
    connectionState: connection.way === 'automatic' ? AUTO_APPROVED : PENDING,
    members: await settleMembers({ id: next.id, interfaceId, properties }, group, context),
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

async function writeConnection(stored: Endpoint, context: Context): Promise<void> {
  const { connectionId } = stored.properties
  if (connectionId === undefined) return
  const { way, properties } = connectionOf(stored.properties)
  const message = properties.requestMessage
  await context.write(connectionId, {
    properties: {
      privateEndpoint: { id: stored.id },
      privateLinkServiceConnectionState:
        way === 'automatic'
          ? AUTO_APPROVED
          : { status: 'Pending', ...(message && { description: message }) },
      provisioningState: 'Succeeded',
    },
  })
}

/** The endpoint's properties as its connection and its target have them now. */
async function follow(current: Endpoint, context: Context): Promise<PrivateEndpointProperties> {
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
    members: await settleMembers({ id: current.id, interfaceId, properties }, group, context),
    zoneNames: [...group.zoneNames],
  }
}

/** What every target's connections have in common. */
interface StoredConnection {
  readonly privateLinkServiceConnectionState: {
    readonly status: ConnectionState['status']
    readonly description?: string
    readonly actionsRequired?: string
  }
}

function shownState(state: StoredConnection['privateLinkServiceConnectionState']): ConnectionState {
  if (state.status === 'Pending') return PENDING
  return {
    status: state.status,
    description: state.description ?? '',
    actionsRequired: state.actionsRequired ?? 'None',
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

const interfaceExists = (id: string) =>
  new ArmError(409, {
    code: 'Conflict',
    message: `Network interface ${id} exists already and cannot be taken for a private endpoint.`,
  })
