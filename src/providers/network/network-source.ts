import { isWithin, parseResourceId } from '../../arm/resource-id.ts'
import type { ResourceReader } from '../../arm/resource-reader.ts'
import type { Resource } from '../../arm/resource-type.ts'
import { formatAddress, formatCidr, parseAddress } from '../../lib/cidr.ts'
import { createMutex } from '../../lib/mutex.ts'
import { networkPlace } from '../../lib/origin.ts'
import type { EndpointListener, NetworkFacts, NetworkSource } from '../../places/network-source.ts'
import type { ChangeFeed } from '../../storage/change-feed.ts'
import { type InterfaceProperties, NETWORK_INTERFACES } from './network-interface-schema.ts'
import { subnetPrefix } from './subnet.ts'
import { SUBNETS, type SubnetProperties } from './subnet-schema.ts'
import { VIRTUAL_NETWORKS, type VirtualNetworkProperties } from './virtual-network-schema.ts'

type Reader = Pick<ResourceReader, 'all'>

const SEEN_TYPES = [VIRTUAL_NETWORKS, SUBNETS, NETWORK_INTERFACES]

/** Where the networks' own public addresses lie. */
const EGRESS_BASE = parseAddress('20.71.0.0') ?? 0

/** All networks as places need them: kept in memory, replaced when the feed tells of a change to any of them. */
export async function createNetworkSource({
  resources,
  feed,
}: {
  readonly resources: Reader
  readonly feed: ChangeFeed
}): Promise<NetworkSource> {
  let networks: readonly NetworkFacts[] = []
  const serially = createMutex()
  const reload = () =>
    serially(async () => {
      networks = await readNetworks(resources)
    })
  feed.subscribe((changes) => {
    if (changes.some((change) => SEEN_TYPES.includes(change.type))) return reload()
  })
  await reload()
  return { list: () => networks }
}

async function readNetworks(resources: Reader): Promise<readonly NetworkFacts[]> {
  const networks = await resources.all<VirtualNetworkProperties>(VIRTUAL_NETWORKS)
  const subnets = await resources.all<SubnetProperties>(SUBNETS)
  const interfaces = await resources.all<InterfaceProperties>(NETWORK_INTERFACES)
  return networks.map((network) => {
    const inside = interfaces.filter(({ properties }) =>
      properties.ipConfigurations.some((each) => isWithin(each.properties.subnet.id, network.id)),
    )
    return factsOf(
      network,
      subnets.filter(({ id }) => isWithin(id, network.id)),
      inside,
    )
  })
}

function factsOf(
  network: Resource<VirtualNetworkProperties>,
  subnets: readonly Resource<SubnetProperties>[],
  interfaces: readonly Resource<InterfaceProperties>[],
): NetworkFacts {
  const { addressSpace, dhcpOptions, resourceGuid = '' } = network.properties
  return {
    id: network.id,
    name: network.name,
    resourceGroup: parseResourceId(network.id)?.resourceGroup ?? '',
    location: network.location ?? '',
    place: networkPlace(resourceGuid),
    egressAddress: egressAddressOf(resourceGuid),
    dnsServers: dhcpOptions?.dnsServers ?? [],
    addressPrefixes: addressSpace.addressPrefixes,
    subnets: subnets.map((subnet) => ({
      id: subnet.id,
      name: subnet.name,
      prefix: formatCidr(subnetPrefix(subnet)),
    })),
    takenAddresses: interfaces.flatMap(({ properties }) =>
      properties.ipConfigurations.flatMap((each) => each.properties.privateIPAddress ?? []),
    ),
    listeners: interfaces.flatMap(listenersOf),
  }
}

// While its connection is not approved, an endpoint's interface names no hosts.
function listenersOf({ properties }: Resource<InterfaceProperties>): EndpointListener[] {
  const endpoint = properties.privateEndpoint?.id
  if (endpoint === undefined) return []
  return properties.ipConfigurations.flatMap(({ properties: each }) => {
    const host = each.privateLinkConnectionProperties?.fqdns[0]
    const address = each.privateIPAddress
    return host && address ? [{ endpoint, address, host: host.toLowerCase() }] : []
  })
}

/** A network's public address: always the same for one network, in 20.71.0.0/16. */
export function egressAddressOf(resourceGuid: string): string {
  const low = Number.parseInt(resourceGuid.slice(-4), 16) || 0
  // The first and the last address of the range are nobody's.
  return formatAddress(EGRESS_BASE + Math.min(Math.max(low, 1), 0xfffe))
}
