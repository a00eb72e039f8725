import { invalidProperty } from '../../arm/arm-error.ts'
import { readOnly } from '../../arm/marks.ts'
import { isSameId } from '../../arm/resource-id.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { isAddress } from '../../lib/cidr.ts'
import { Type } from '../../lib/schema.ts'
import { requireFreeAddress, takeLowestAddresses } from './address-allocation.ts'
import { API_VERSIONS } from './api-versions.ts'
import { type AddressHolders, addressPool, networkOf, requireSubnet } from './linked-subnet.ts'
import { invalidResourceReference, networkError, requireDistinctNames } from './network-error.ts'
import {
  type InterfaceProperties,
  type IpConfiguration,
  interfaceProperties,
  NETWORK_INTERFACES,
} from './network-interface-schema.ts'
import { RESOURCE_NAME } from './resource-name.ts'

type Interface = Resource<InterfaceProperties>

export const createNetworkInterface = (holders: AddressHolders) =>
  defineResourceType({
    type: NETWORK_INTERFACES,
    apiVersions: API_VERSIONS,
    location: 'required',
    properties: interfaceProperties,
    top: Type.Object({ managedBy: Type.Optional(readOnly(Type.String())) }),
    name: RESOURCE_NAME,
    etag: 'weak',
    patch: 'tags',
    references: ({ properties }) =>
      properties.ipConfigurations.map((configuration) => configuration.properties.subnet.id),

    async validate(next, previous, context) {
      if (previous?.properties.privateEndpoint) throw ownedByEndpoint(next, previous)
      const { ipConfigurations, networkSecurityGroup } = next.properties
      const [first] = ipConfigurations
      if (!first) {
        throw invalidProperty('properties.ipConfigurations', 'an interface needs at least one')
      }
      requireDistinctNames(next.id, ipConfigurations)
      if (networkSecurityGroup && !(await context.get(networkSecurityGroup.id))) {
        throw invalidResourceReference(networkSecurityGroup.id, next.id)
      }
      const network = networkOf(first.properties.subnet.id)
      for (const [index, { properties }] of ipConfigurations.entries()) {
        const path = `properties.ipConfigurations[${index}].properties.subnet.id`
        await requireSubnet(properties.subnet.id, path, next, context)
        if (!isSameId(networkOf(properties.subnet.id), network)) {
          throw invalidProperty(path, 'all configurations of an interface are in one network')
        }
      }
    },

    async provision(next, context, previous) {
      return {
        resourceGuid: next.properties.resourceGuid ?? context.uuid(),
        ipConfigurations: await assignAddresses(next, previous, context, holders),
      }
    },

    deprovision(last) {
      const owner = last.properties.privateEndpoint
      if (!owner) return
      throw networkError(
        'NicInUseWithPrivateEndpoint',
        `Network interface ${last.id} cannot be deleted because it is currently in use with an private endpoint (${owner.id}).`,
      )
    },

    async present(stored) {
      const { resourceGuid, ipConfigurations, dnsSettings, privateEndpoint, ...rest } =
        stored.properties
      return {
        provisioningState: 'Succeeded',
        resourceGuid,
        ipConfigurations: ipConfigurations.map((each) => presentConfiguration(stored, each)),
        dnsSettings: { ...dnsSettings, appliedDnsServers: [] },
        ...(privateEndpoint && { macAddress: '', privateEndpoint }),
        ...rest,
        vnetEncryptionSupported: false,
        disableTcpStateTracking: false,
        hostedWorkloads: [],
        tapConfigurations: [],
        nicType: 'Standard',
        auxiliaryMode: 'None',
      }
    },

    presentTop: (stored) => ({ kind: 'Regular', ...stored.top }),
  })

/** Every configuration with an address: the one it chose, the one it had, or the lowest that is free. */
async function assignAddresses(
  next: Interface,
  previous: Interface | undefined,
  context: Context,
  holders: AddressHolders,
): Promise<InterfaceProperties['ipConfigurations']> {
  const assigned: IpConfiguration[] = []
  // Chosen addresses first: no other configuration of the same request may take them.
  const isStatic = ({ properties }: IpConfiguration) =>
    properties.privateIPAllocationMethod === 'Static'
  const { ipConfigurations } = next.properties
  for (const each of ipConfigurations.toSorted(
    (a, b) => Number(isStatic(b)) - Number(isStatic(a)),
  )) {
    assigned.push(await assignAddress(next, each, previous, assigned, context, holders))
  }
  const inOrder = ipConfigurations.flatMap(
    ({ name }) => assigned.find((each) => each.name === name) ?? [],
  )
  return withOnePrimary(inOrder)
}

async function assignAddress(
  owner: Interface,
  wanted: IpConfiguration,
  previous: Interface | undefined,
  siblings: readonly IpConfiguration[],
  context: Context,
  holders: AddressHolders,
): Promise<IpConfiguration> {
  const { properties } = wanted
  const id = `${owner.id}/ipConfigurations/${wanted.name}`
  const subnet = await requireSubnet(
    properties.subnet.id,
    'properties.ipConfigurations',
    owner,
    context,
  )
  const pool = await addressPool(subnet, context, owner.id, holders)
  const spoken = siblings.flatMap((sibling) => sibling.properties.privateIPAddress ?? [])
  const withAddress = (privateIPAddress: string) => ({
    name: wanted.name,
    properties: { ...properties, subnet: { id: subnet.id }, privateIPAddress },
  })
  const before = previous?.properties.ipConfigurations.find(
    (each) => each.name === wanted.name && isSameId(each.properties.subnet.id, subnet.id),
  )?.properties.privateIPAddress
  if (properties.privateIPAllocationMethod === 'Static') {
    const address = properties.privateIPAddress
    if (address === undefined) throw missingAddress(id)
    if (!isAddress(address) || spoken.includes(address)) throw invalidAddress(address)
    if (address !== before) requireFreeAddress(address, id, pool)
    return withAddress(address)
  }
  if (before !== undefined && !spoken.includes(before)) return withAddress(before)
  const kept = (previous?.properties.ipConfigurations ?? []).flatMap(
    (each) => each.properties.privateIPAddress ?? [],
  )
  const [lowest] = takeLowestAddresses(pool, 1, [...spoken, ...kept])
  return withAddress(lowest ?? '')
}

function withOnePrimary(configurations: readonly IpConfiguration[]): IpConfiguration[] {
  const chosen = configurations.findIndex(({ properties }) => properties.primary)
  // The service lists the primary one first.
  return configurations
    .map(({ name, properties }, index) => ({
      name,
      properties: { ...properties, primary: index === Math.max(chosen, 0) },
    }))
    .toSorted((a, b) => Number(b.properties.primary) - Number(a.properties.primary))
}

function presentConfiguration(owner: Interface, { name, properties }: IpConfiguration) {
  return {
    name,
    id: `${owner.id}/ipConfigurations/${name}`,
    etag: `W/"${owner.etag}"`,
    type: `${NETWORK_INTERFACES}/ipConfigurations`,
    properties: { provisioningState: 'Succeeded', ...properties },
  }
}

const ownedByEndpoint = (next: Interface, previous: Interface) =>
  networkError(
    'CannotModifyNicAttachedToPrivateEndpoint',
    `Network interface ${next.id} is linked to a private endpoint ${previous.properties.privateEndpoint?.id}. It can ` +
      'not be modified by user.',
  )

const missingAddress = (configurationId: string) =>
  networkError(
    'PrivateIPAddressMissing',
    `Private IP address is required when privateIPAllocationMethod is Static in IP configuration ${configurationId}.`,
  )

const invalidAddress = (address: string) =>
  invalidProperty(
    'properties.ipConfigurations',
    `'${address}' is no IPv4 address, or given more than once`,
  )
