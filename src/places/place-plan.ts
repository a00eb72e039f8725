import { addressAt, parseCidr } from '../lib/cidr.ts'
import type { ListenerOrigin, PlaceId } from '../lib/origin.ts'
import { placeNamespace } from './namespace-names.ts'
import type { NetworkFacts, SubnetFacts } from './network-source.ts'

/** The address of the provided resolver, the same in every network. */
export const RESOLVER_ADDRESS = '168.63.129.16'

/** The address of the instance metadata service, the same in every network. */
const METADATA_ADDRESS = '169.254.169.254'

const INTERNET: PlaceId = 'internet'

/** Where programs on the internet stand: TEST-NET-3 of RFC 5737. */
const INTERNET_SUBNET: SubnetFacts = { id: INTERNET, name: INTERNET, prefix: '203.0.113.0/24' }

/** A socket that a place wants open. Equal plans are the same socket. */
export type SocketPlan =
  | {
      readonly kind: 'dns-udp' | 'dns-tcp' | 'metadata'
      readonly address: string
      readonly port: number
    }
  | {
      readonly kind: 'https'
      readonly address: string
      readonly port: number
      readonly where: ListenerOrigin
    }

/** A place as it should be. */
export interface PlacePlan {
  readonly place: PlaceId
  /** The network's name, or `internet`. */
  readonly name: string
  readonly resourceGroup?: string
  readonly namespace: string
  /** The first address of each subnet, with its prefix length: where programs' routes lead. */
  readonly gateways: readonly string[]
  /** Further addresses that the place itself answers for: resolver, metadata service, public addresses, network interfaces. */
  readonly addresses: readonly string[]
  readonly sockets: readonly SocketPlan[]
  readonly subnets: readonly SubnetFacts[]
  readonly dnsServers: readonly string[]
}

/**
 * What places there should be: one for each network, and the internet. An address of a network interface without a
 * listener is in its place all the same, so that a client is refused at once instead of waiting for an answer.
 */
export function planPlaces(options: {
  readonly mark: string
  readonly networks: readonly NetworkFacts[]
  readonly publicAddresses: readonly string[]
}): readonly PlacePlan[] {
  const { mark, networks, publicAddresses } = options
  return [
    planPlace({
      place: INTERNET,
      name: INTERNET,
      namespace: placeNamespace(mark, INTERNET),
      subnets: [INTERNET_SUBNET],
      dnsServers: [],
      taken: [],
      endpoints: [],
      public: publicAddresses.map((address) =>
        onPort443(address, { via: 'public', place: INTERNET }),
      ),
    }),
    ...networks.map((network) => {
      const { place, name, resourceGroup, egressAddress, subnets, dnsServers } = network
      const outbound: ListenerOrigin = { via: 'public', place, egressAddress }
      return planPlace({
        place,
        name,
        resourceGroup,
        namespace: placeNamespace(mark, place),
        subnets,
        dnsServers,
        taken: network.takenAddresses,
        endpoints: network.listeners.map(({ endpoint, host, address }) =>
          onPort443(address, { via: 'endpoint', place, endpoint, host, address }),
        ),
        public: publicAddresses.map((address) => onPort443(address, outbound)),
      })
    }),
  ]
}

type Draft = Omit<PlacePlan, 'gateways' | 'addresses' | 'sockets'> & {
  readonly taken: readonly string[]
  readonly endpoints: readonly SocketPlan[]
  readonly public: readonly SocketPlan[]
}

function planPlace({ taken, endpoints, public: publicSide, ...place }: Draft): PlacePlan {
  const own = new Set([...endpoints.map(({ address }) => address), ...taken])
  const sockets: readonly SocketPlan[] = [
    { kind: 'dns-udp', address: RESOLVER_ADDRESS, port: 53 },
    { kind: 'dns-tcp', address: RESOLVER_ADDRESS, port: 53 },
    { kind: 'metadata', address: METADATA_ADDRESS, port: 80 },
    ...endpoints,
    // A network may use addresses that are public elsewhere; inside, they are its own.
    ...publicSide.filter(({ address }) => !own.has(address)),
  ]
  return {
    ...place,
    gateways: place.subnets.flatMap((subnet) => gatewayOf(subnet) ?? []),
    addresses: [...new Set([...sockets.map(({ address }) => address), ...own])],
    sockets,
  }
}

const onPort443 = (address: string, where: ListenerOrigin): SocketPlan => ({
  kind: 'https',
  address,
  port: 443,
  where,
})

/** The router's address in a subnet, `10.0.0.1/24`; undefined for what is no IPv4 prefix. */
export function gatewayOf(subnet: SubnetFacts): string | undefined {
  const prefix = parseCidr(subnet.prefix)
  const gateway = prefix && addressAt(prefix, 1)
  return prefix && gateway && `${gateway}/${prefix.length}`
}
