import { invalidProperty } from '../../arm/arm-error.ts'
import { parseResourceId } from '../../arm/resource-id.ts'
import {
  type Context,
  defineResourceType,
  type Resource,
  type ResourceBody,
} from '../../arm/resource-type.ts'
import { type Cidr, formatCidr } from '../../lib/cidr.ts'
import { allocationsIn } from './address-allocation.ts'
import { readAddressPrefix } from './address-prefix.ts'
import { requireSubnetFits } from './address-space.ts'
import { API_VERSIONS } from './api-versions.ts'
import { parseLinkedId } from './linked-resource.ts'
import { invalidResourceReference, networkError } from './network-error.ts'
import { PRIVATE_ENDPOINTS } from './private-endpoint-schema.ts'
import { RESOURCE_NAME } from './resource-name.ts'
import { SUBNETS, type SubnetProperties, subnetProperties } from './subnet-schema.ts'
import { addressSpaceOf, type VirtualNetworkProperties } from './virtual-network-schema.ts'

export const subnet = defineResourceType({
  type: SUBNETS,
  apiVersions: API_VERSIONS,
  location: 'none',
  properties: subnetProperties,
  name: RESOURCE_NAME,
  etag: 'weak',
  references: ({ properties }) => attachmentsOf(properties).map(({ id }) => id),

  async validate(next, previous, context) {
    const prefix = readSubnetPrefix(next.id, next.properties)
    const networkId = parseResourceId(next.id)?.parent ?? ''
    const network = await context.get<VirtualNetworkProperties>(networkId)
    const siblings = await context.children<SubnetProperties>(networkId, SUBNETS)
    requireSubnetFits(
      next.name,
      prefix,
      {
        name: network?.name ?? '',
        prefixes: network ? addressSpaceOf(network.properties) : [],
      },
      new Map(siblings.map((sibling) => [sibling.name, subnetPrefix(sibling)])),
    )
    for (const { path, id } of attachmentsOf(next.properties)) {
      parseLinkedId(id, path)
      if (!(await context.get(id))) throw invalidResourceReference(id, next.id)
    }
    if (previous && formatCidr(subnetPrefix(previous)) !== formatCidr(prefix)) {
      await requireNoAllocations(previous, context)
    }
  },

  deprovision: (last, context) => requireSubnetUnused(last, context),

  present: presentSubnet,
})

/** The stored subnet's prefix. */
export function subnetPrefix(stored: Resource<SubnetProperties>): Cidr {
  return readSubnetPrefix(stored.id, stored.properties)
}

/**
 * The prefix that a subnet's body says, in either of the two members.
 *
 * @throws ArmError 400 where there is none or more than one, or where it is no canonical prefix.
 */
export function readSubnetPrefix(id: string, properties: SubnetProperties): Cidr {
  const said = new Set([
    ...(properties.addressPrefix === undefined ? [] : [properties.addressPrefix]),
    ...(properties.addressPrefixes ?? []),
  ])
  const [prefix, ...more] = said
  if (prefix === undefined) {
    throw invalidProperty('properties.addressPrefix', `subnet '${id}' needs an address prefix`)
  }
  if (more.length > 0) {
    throw invalidProperty('properties.addressPrefixes', `subnet '${id}' can have one prefix only`)
  }
  return readAddressPrefix(prefix, id)
}

/** @throws ArmError 400 InUseSubnetCannotBeDeleted */
export async function requireSubnetUnused(last: Resource, context: Context): Promise<void> {
  const allocations = await allocationsIn(last.id, context)
  if (allocations.length === 0) return
  const users = allocations.map((allocation) => allocation.configurationId).join(', ')
  throw networkError(
    'InUseSubnetCannotBeDeleted',
    `Subnet ${last.name} is in use by ${users} and cannot be deleted. In order to delete the subnet, delete all the ` +
      'resources within the subnet. See aka.ms/deletesubnet.',
  )
}

async function requireNoAllocations(
  previous: Resource<SubnetProperties>,
  context: Context,
): Promise<void> {
  if ((await allocationsIn(previous.id, context)).length === 0) return
  throw networkError(
    'InUsePrefixCannotBeDeleted',
    `IpPrefix ${formatCidr(subnetPrefix(previous))} on Subnet ${previous.name} has active allocations and cannot be deleted.`,
  )
}

/** What a client sees of a subnet, by itself and within its network. */
export async function presentSubnet(
  stored: Resource<SubnetProperties>,
  context: Context,
): Promise<Record<string, unknown>> {
  const allocations = await allocationsIn(stored.id, context)
  const endpoints = await context.referrers(stored.id, PRIVATE_ENDPOINTS)
  return {
    provisioningState: 'Succeeded',
    ...stored.properties,
    ...(allocations.length > 0 && {
      ipConfigurations: allocations.map(({ configurationId }) => ({ id: configurationId })),
    }),
    ...(endpoints.length > 0 && { privateEndpoints: endpoints.map(({ id }) => ({ id })) }),
  }
}

function attachmentsOf(properties: ResourceBody<SubnetProperties>['properties']) {
  return (['networkSecurityGroup', 'routeTable', 'natGateway'] as const).flatMap((member) => {
    const id = properties[member]?.id
    return id === undefined ? [] : [{ path: `properties.${member}.id`, id }]
  })
}
