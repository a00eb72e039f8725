import { parseResourceId } from '../../arm/resource-id.ts'
import type { Context, Resource } from '../../arm/resource-type.ts'
import { staticConfigurations } from './endpoint-members.ts'
import { type InterfaceProperties, NETWORK_INTERFACES } from './network-interface-schema.ts'
import { isApproved, type PrivateEndpointProperties } from './private-endpoint-schema.ts'

/** The id of the interface that a new endpoint gets, in the endpoint's own group. */
export function newInterfaceId(
  endpoint: Resource<PrivateEndpointProperties>,
  context: Context,
): string {
  const group = parseResourceId(endpoint.id)?.parent ?? ''
  const name =
    endpoint.properties.customNetworkInterfaceName || `${endpoint.name}.nic.${context.uuid()}`
  return `${group}/providers/${NETWORK_INTERFACES}/${name}`
}

/** Writes the interface as the endpoint has it now: its addresses, and what they stand for while it is approved. */
export async function writeInterface(
  endpoint: Resource<PrivateEndpointProperties>,
  context: Context,
): Promise<void> {
  const { interfaceId, members = [], subnet } = endpoint.properties
  if (interfaceId === undefined) return
  const existing = await context.get<InterfaceProperties>(interfaceId)
  const chosen = staticConfigurations(endpoint.properties).map(
    ({ properties }) => properties.memberName,
  )
  const tags = existing ? existing.tags : endpoint.tags
  const properties: InterfaceProperties = {
    ipConfigurations: members.map((member, index) => ({
      name: member.configuration,
      properties: {
        privateIPAddress: member.address,
        privateIPAllocationMethod: chosen.includes(member.name) ? 'Static' : 'Dynamic',
        privateIPAddressVersion: 'IPv4',
        subnet,
        primary: index === 0,
        privateLinkConnectionProperties: isApproved(endpoint.properties)
          ? { groupId: member.groupId, requiredMemberName: member.name, fqdns: [member.fqdn] }
          : { groupId: '', requiredMemberName: '', fqdns: [] },
      },
    })),
    dnsSettings: { dnsServers: [] },
    enableIPForwarding: false,
    enableAcceleratedNetworking: false,
    resourceGuid: existing?.properties.resourceGuid ?? context.uuid(),
    privateEndpoint: { id: endpoint.id },
  }
  await context.write(interfaceId, {
    ...(endpoint.location !== undefined && { location: endpoint.location }),
    ...(tags && { tags }),
    top: { managedBy: endpoint.id },
    properties,
  })
}
