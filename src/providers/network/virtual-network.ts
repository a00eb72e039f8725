import { isDeepStrictEqual } from 'node:util'
import { invalidProperty } from '../../arm/arm-error.ts'
import { isSameId } from '../../arm/resource-id.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { type Cidr, isAddress, overlaps } from '../../lib/cidr.ts'
import { readAddressPrefix } from './address-prefix.ts'
import { requireSubnetFits } from './address-space.ts'
import { API_VERSIONS } from './api-versions.ts'
import { networkError, requireDistinctNames } from './network-error.ts'
import { presentSubnet, readSubnetPrefix, requireSubnetUnused, subnetPrefix } from './subnet.ts'
import { SUBNETS, type SubnetProperties } from './subnet-schema.ts'
import {
  type InlineSubnet,
  VIRTUAL_NETWORKS,
  type VirtualNetworkProperties,
  virtualNetworkProperties,
} from './virtual-network-schema.ts'

type Network = Resource<VirtualNetworkProperties>

export const virtualNetwork = defineResourceType({
  type: VIRTUAL_NETWORKS,
  apiVersions: API_VERSIONS,
  location: 'required',
  properties: virtualNetworkProperties,
  name: /^[a-z0-9][\w.-]{0,62}\w$/i,
  etag: 'weak',
  patch: 'tags',

  async validate(next, _previous, context) {
    const { addressSpace, dhcpOptions, encryption, subnets } = next.properties
    const prefixes = addressSpace.addressPrefixes.map((text) => readAddressPrefix(text, next.id))
    requireApart(next, prefixes)
    const badServer = dhcpOptions?.dnsServers.find((server) => !isAddress(server))
    if (badServer !== undefined) {
      throw invalidProperty(
        'properties.dhcpOptions.dnsServers',
        `'${badServer}' is no IPv4 address`,
      )
    }
    if (encryption?.enabled && !encryption.enforcement) throw incompleteEncryption(next.id)
    requireDistinctNames(next.id, subnets ?? [])
    const wanted = subnets
      ? subnets.map((each) => [each.name, inlinePrefix(next.id, each)] as const)
      : (await subnetsOf(next.id, context)).map((each) => [each.name, subnetPrefix(each)] as const)
    const placed = new Map<string, Cidr>()
    for (const [name, prefix] of wanted) {
      requireSubnetFits(name, prefix, { name: next.name, prefixes }, placed)
      placed.set(name, prefix)
    }
  },

  async provision(next, context, previous) {
    const resourceGuid = next.properties.resourceGuid ?? context.uuid()
    const { subnets = [] } = next.properties
    // A new network has to be there before its first subnets.
    if (!previous) return { resourceGuid, subnets }
    if (next.properties.subnets) {
      await storeWithoutSubnets(next, context)
      await replaceSubnets(next.id, subnets, context)
    }
    return { resourceGuid, subnets: [] }
  },

  async provisioned(stored, context, previous) {
    if (previous) return
    await replaceSubnets(stored.id, stored.properties.subnets ?? [], context)
    await storeWithoutSubnets(stored, context)
  },

  async deprovision(last, context) {
    for (const each of await subnetsOf(last.id, context)) await requireSubnetUnused(each, context)
  },

  async present(stored, context) {
    const subnets = await subnetsOf(stored.id, context)
    const { addressSpace, dhcpOptions, flowTimeoutInMinutes, resourceGuid, ...rest } =
      stored.properties
    return {
      provisioningState: 'Succeeded',
      resourceGuid,
      addressSpace,
      ...(dhcpOptions && { dhcpOptions }),
      ...(flowTimeoutInMinutes !== undefined && { flowTimeoutInMinutes }),
      ...rest,
      subnets: await Promise.all(subnets.map((each) => presentInline(each, context))),
    }
  },
})

const subnetsOf = (networkId: string, context: Context) =>
  context.children<SubnetProperties>(networkId, SUBNETS)

const inlineId = (networkId: string, inline: InlineSubnet) => `${networkId}/subnets/${inline.name}`

const inlinePrefix = (networkId: string, inline: InlineSubnet): Cidr =>
  readSubnetPrefix(inlineId(networkId, inline), inline.properties)

async function presentInline(stored: Resource<SubnetProperties>, context: Context) {
  return {
    name: stored.name,
    id: stored.id,
    etag: `W/"${stored.etag}"`,
    type: SUBNETS,
    properties: await presentSubnet(stored, context),
  }
}

/** The network as it is kept: its subnets are resources of their own. */
async function storeWithoutSubnets(network: Network, context: Context): Promise<void> {
  const { location, tags, top, properties } = network
  await context.write(network.id, {
    ...(location !== undefined && { location }),
    ...(tags && { tags }),
    top,
    properties: { ...properties, subnets: [] },
  })
}

/** Makes the network's subnets these and no others. */
async function replaceSubnets(
  networkId: string,
  wanted: readonly InlineSubnet[],
  context: Context,
): Promise<void> {
  const wantedIds = wanted.map((inline) => inlineId(networkId, inline))
  for (const existing of await subnetsOf(networkId, context)) {
    if (!wantedIds.some((id) => isSameId(id, existing.id))) await context.delete(existing.id)
  }
  let waiting = wanted
  while (waiting.length > 0) {
    const next = (await firstWithRoom(networkId, waiting, context)) ?? waiting[0]
    if (!next) return
    waiting = waiting.filter((inline) => inline !== next)
    const id = inlineId(networkId, next)
    const existing = await context.get<SubnetProperties>(id)
    if (existing && isDeepStrictEqual(existing.properties, next.properties)) continue
    await context.put(id, { properties: next.properties })
  }
}

// A subnet may move into the room that another one of the same request leaves, in whatever order they are listed.
async function firstWithRoom(
  networkId: string,
  waiting: readonly InlineSubnet[],
  context: Context,
): Promise<InlineSubnet | undefined> {
  const existing = await subnetsOf(networkId, context)
  return waiting.find((inline) =>
    existing.every(
      (other) =>
        other.name.toLowerCase() === inline.name.toLowerCase() ||
        !overlaps(subnetPrefix(other), inlinePrefix(networkId, inline)),
    ),
  )
}

function requireApart(next: Network, prefixes: readonly Cidr[]): void {
  const isApart = prefixes.every((prefix, index) =>
    prefixes.slice(index + 1).every((other) => !overlaps(prefix, other)),
  )
  if (isApart) return
  throw networkError(
    'NetcfgInvalidVirtualNetworkSite',
    `Virtual network '${next.name}' is not valid because its address prefixes overlap.`,
  )
}

const incompleteEncryption = (id: string) =>
  networkError(
    'MustSpecifyBothEncryptionIntentAndEnforcementPolicy',
    `Cannot encrypt VirtualNetwork ${id} unless both encryption intent (Enabled true or false) and enforcement policy ` +
      '(AllowUnencrypted or DropUnencrypted) are specified.',
  )
