import { ArmError, invalidProperty } from '../../arm/arm-error.ts'
import { isSameId, type ResourceId } from '../../arm/resource-id.ts'
import type {
  Context,
  PrivateLinkGroup,
  PrivateLinkTarget,
  Resource,
} from '../../arm/resource-type.ts'
import { parseLinkedId, requireLinkedRight } from './linked-resource.ts'
import { requireSubnet } from './linked-subnet.ts'
import { networkError, requireDistinctNames } from './network-error.ts'
import {
  type AskedConnection,
  connectionsOf,
  type PrivateEndpointProperties,
} from './private-endpoint-schema.ts'

type Endpoint = Resource<PrivateEndpointProperties>

/** The one connection of an endpoint. @throws ArmError 400 where there are none or several. */
export function connectionOf(properties: PrivateEndpointProperties): AskedConnection {
  const [connection, ...others] = connectionsOf(properties)
  if (connection && others.length === 0) return connection
  throw invalidProperty(
    'properties.privateLinkServiceConnections',
    'a private endpoint has exactly one connection, automatic or manual',
  )
}

/** The id of a connection as part of its endpoint. */
export const connectionPath = (endpointId: string, { way, name }: AskedConnection): string =>
  `${endpointId}/${way === 'automatic' ? 'privateLinkServiceConnections' : 'manualPrivateLinkServiceConnections'}/${name}`

/**
 * Everything that must hold for a new endpoint, the addresses apart.
 *
 * @throws ArmError the service's refusal.
 */
export async function requireCreatable(next: Endpoint, context: Context): Promise<void> {
  const connection = connectionOf(next.properties)
  requireDistinctNames(next.id, next.properties.ipConfigurations)
  await requireSubnet(next.properties.subnet.id, 'properties.subnet.id', next, context)
  const target = await requireTarget(next, connection, context)
  requireGroup(next, connection, target)
  if (connection.way === 'automatic') {
    requireLinkedRight(
      { action: `${next.type}/write`, id: next.id },
      { action: target.approvalAction, id: target.resource.id },
      context,
    )
  }
  await context.acceptEndpoint(target.resource.id, next.id)
}

/**
 * What an existing endpoint may not become.
 *
 * @throws ArmError 400
 */
export function requireSameEndpoint(next: Endpoint, previous: Endpoint): void {
  if (previous.properties.connectionState?.status === 'Disconnected') {
    throw networkError(
      'PrivateEndpointCannotBeUpdatedInDisconnectedState',
      `Private endpoint ${next.id} cannot be updated because it is in Disconnected state. Please delete the private ` +
        'endpoint and create it again.',
    )
  }
  requireDistinctNames(next.id, next.properties.ipConfigurations)
  const [before, after] = [previous.properties.subnet.id, next.properties.subnet.id]
  if (!isSameId(before, after)) {
    throw networkError(
      'CannotChangeSubnetOnExistingPrivateEndpoint',
      `Cannot change the subnet in which the network interface for private endpoint ${next.id} is created. Current ` +
        `subnet: '${before}'. Requested subnet: '${after}'.`,
    )
  }
  const current = connectionOf(previous.properties)
  if (!isSameConnection(connectionOf(next.properties), current)) {
    throw networkError(
      'CannotChangePrivateLinkConnectionOnPrivateEndpoint',
      `Cannot change the private link connection on private endpoint ${next.id}. Please ensure you are not updating ` +
        `the details of existing private link connection: '${connectionPath(next.id, current)}'. That is not allowed.`,
    )
  }
  const { customNetworkInterfaceName } = next.properties
  if (
    customNetworkInterfaceName !== '' &&
    customNetworkInterfaceName !== previous.properties.customNetworkInterfaceName
  ) {
    throw invalidProperty('properties.customNetworkInterfaceName', 'it cannot be changed')
  }
  for (const { properties } of next.properties.ipConfigurations) {
    const member = previous.properties.members?.find((each) => each.name === properties.memberName)
    if (!member || member.address === properties.privateIPAddress) continue
    throw invalidProperty(
      'properties.ipConfigurations',
      `member '${member.name}' has the address ${member.address}, which cannot be changed`,
    )
  }
}

function isSameConnection(a: AskedConnection, b: AskedConnection): boolean {
  return (
    a.way === b.way &&
    a.name === b.name &&
    isSameId(a.properties.privateLinkServiceId, b.properties.privateLinkServiceId) &&
    sameGroup(a.properties.groupIds[0], b.properties.groupIds[0])
  )
}

const sameGroup = (a: string | undefined, b: string | undefined) =>
  a?.toLowerCase() === b?.toLowerCase()

async function requireTarget(
  next: Endpoint,
  connection: AskedConnection,
  context: Context,
): Promise<PrivateLinkTarget> {
  const { privateLinkServiceId } = connection.properties
  const path = `properties.${connection.way === 'automatic' ? 'p' : 'manualP'}rivateLinkServiceConnections[0].properties.privateLinkServiceId`
  const id = parseLinkedId(privateLinkServiceId, path)
  const target = await context.privateLinkTarget(id.id)
  if (target) return target
  if (!(await context.get(id.id))) throw targetNotFound(id)
  throw networkError(
    'InvalidPrivateLinkServiceId',
    `Resource ${privateLinkServiceId} referenced by private link service connection ` +
      `${connectionPath(next.id, connection)} does not support private endpoints.`,
  )
}

function targetNotFound(id: ResourceId): ArmError {
  const names = id.type
    .split('/')
    .slice(1)
    .map((type, index) => `${type}/${id.names[index] ?? ''}`)
  return new ArmError(404, {
    code: 'ResourceNotFound',
    message:
      `The Resource '${[id.namespace, ...names].join('/')}' under resource group '${id.resourceGroup ?? ''}' was not ` +
      'found. For more details please go to https://aka.ms/ARMResourceNotFoundFix',
  })
}

function requireGroup(
  next: Endpoint,
  connection: AskedConnection,
  target: PrivateLinkTarget,
): PrivateLinkGroup {
  const [groupId, ...others] = connection.properties.groupIds
  const path = connectionPath(next.id, connection)
  if (groupId === undefined) {
    throw networkError(
      'MissingParameterOnPrivateLinkServiceConnection',
      `Private link service connection ${path} is missing required parameter 'group Id'.`,
    )
  }
  if (others.length > 0) {
    throw networkError(
      'OnlyOneGroupIdPermitted',
      `Private link service connection ${path} has the following group Ids: ${connection.properties.groupIds.join(', ')}. ` +
        `Only one group Id is permitted when connecting to a first-party resource (${target.resource.id}).`,
    )
  }
  const group = findGroup(target, groupId)
  if (group) return group
  throw networkError(
    'InvalidValuesForRequestParameters',
    `Call to ${target.resource.type} failed. Error message: Values for request parameters are invalid: GroupId: ${groupId}.`,
  )
}

/** A group of a target by its id, in any case. */
export const findGroup = (
  target: PrivateLinkTarget,
  groupId: string | undefined,
): PrivateLinkGroup | undefined => target.groups.find((group) => sameGroup(group.groupId, groupId))
