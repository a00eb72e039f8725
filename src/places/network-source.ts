import type { PlaceId } from '../lib/origin.ts'

/** A subnet as places need it. */
export interface SubnetFacts {
  readonly id: string
  readonly name: string
  /** IPv4 CIDR, `10.0.0.0/24`. */
  readonly prefix: string
}

/** One address on which an approved private endpoint listens. */
export interface EndpointListener {
  /** ARM id of the private endpoint. */
  readonly endpoint: string
  readonly address: string
  /** The host name served there. */
  readonly host: string
}

/** A virtual network, to be made real as a place. */
export interface NetworkFacts {
  /** ARM id. */
  readonly id: string
  readonly name: string
  readonly resourceGroup: string
  /** The region that it is in. */
  readonly location: string
  readonly place: PlaceId
  /** Source address of this network on the public side. */
  readonly egressAddress: string
  /** Empty: the provided resolver, 168.63.129.16. */
  readonly dnsServers: readonly string[]
  readonly addressPrefixes: readonly string[]
  readonly subnets: readonly SubnetFacts[]
  /** Addresses of network interfaces, listening or not: not to be given to programs. */
  readonly takenAddresses: readonly string[]
  /** Only members of approved connections. */
  readonly listeners: readonly EndpointListener[]
}

/** What places need to know of networks; owned by places, implemented by providers. In memory. */
export interface NetworkSource {
  list(): readonly NetworkFacts[]
}
