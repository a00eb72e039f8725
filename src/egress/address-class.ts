import ipaddr from 'ipaddr.js'

export type Address = ipaddr.IPv4 | ipaddr.IPv6
export type Prefix = [Address, number]

/**
 * `public`: anybody's. `special`: private or otherwise no part of the internet. `machine`: this machine or its link,
 * where services trust whoever asks, the metadata of clouds among them. `never`: nobody, or an address in disguise.
 */
export type AddressClass = 'public' | 'special' | 'machine' | 'never'

const CLASSES: Readonly<Record<string, AddressClass>> = {
  unicast: 'public',
  loopback: 'machine',
  linkLocal: 'machine',
  unspecified: 'never',
  multicast: 'never',
  broadcast: 'never',
  '6to4': 'never',
  teredo: 'never',
  rfc6145: 'never',
  // The library's name for an IPv4 address within an IPv6 one, which `parseAddress` has taken out.
  ipv4Mapped: 'never',
}

const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number]
/** https://www.rfc-editor.org/rfc/rfc6052#section-2.1 */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96') as [ipaddr.IPv6, number]

/** The address of a plain literal, an IPv4 one in IPv6's clothes as what it is; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return undefined
  return ipaddr.process(text)
}

/** By IANA's registries of special-purpose addresses; what the library does not know is not public. */
export function classOf(address: Address): AddressClass {
  if (address instanceof ipaddr.IPv4) return CLASSES[address.range()] ?? 'special'
  if (address.match(NAT64)) {
    const embedded = ipaddr.fromByteArray(address.toByteArray().slice(12))
    return classOf(embedded) === 'public' ? 'public' : 'never'
  }
  const known = CLASSES[address.range()] ?? 'special'
  // What is left are addresses that IANA has given to nobody, those of IPv4 in the old form among them.
  return known === 'public' && !address.match(GLOBAL_UNICAST) ? 'never' : known
}

export const isIn = (address: Address, [network, length]: Prefix): boolean =>
  address.kind() === network.kind() && address.match(network, length)
