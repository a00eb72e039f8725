/** An IPv4 prefix. Make it with `parseCidr`. */
export interface Cidr {
  /** The first address as an unsigned 32-bit number; host bits are zero. */
  readonly network: number
  /** 0 to 32. */
  readonly length: number
}

const OCTET = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ADDRESS = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}$`)
const LENGTH = /^(3[0-2]|[12]?\d)$/

/** The number of a dotted address; undefined for anything else (leading zeros included, which some read as octal). */
export function parseAddress(text: string): number | undefined {
  const octets = ADDRESS.exec(text)?.slice(1)
  return octets?.reduce((sum, octet) => sum * 256 + Number(octet), 0)
}

export const isAddress = (text: string): boolean => ADDRESS.test(text)

export const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')

/**
 * Reads `10.0.0.0/24`; undefined for anything that is no prefix. Host bits are cut off: `10.0.0.1/24` reads as
 * `10.0.0.0/24`, and whoever minds compares with `formatCidr`.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', bits = '', ...rest] = text.split('/')
  const number = parseAddress(address)
  if (number === undefined || !LENGTH.test(bits) || rest.length > 0) return undefined
  const length = Number(bits)
  const size = 2 ** (32 - length)
  return { network: number - (number % size), length }
}

export const formatCidr = (prefix: Cidr): string =>
  `${formatAddress(prefix.network)}/${prefix.length}`

export const addressCount = (prefix: Cidr): number => 2 ** (32 - prefix.length)

/** The n-th address, counted from 0; undefined beyond the end. */
export function addressAt(prefix: Cidr, n: number): string | undefined {
  if (!Number.isInteger(n) || n < 0 || n >= addressCount(prefix)) return undefined
  return formatAddress(prefix.network + n)
}

/** Whether a dotted address lies in the prefix; false for what is no address. */
export function contains(prefix: Cidr, address: string): boolean {
  const number = parseAddress(address)
  return number !== undefined && isNumberIn(prefix, number)
}

export const isWithinPrefix = (inner: Cidr, outer: Cidr): boolean =>
  inner.length >= outer.length && isNumberIn(outer, inner.network)

export const overlaps = (a: Cidr, b: Cidr): boolean => isWithinPrefix(a, b) || isWithinPrefix(b, a)

/** What a network keeps of each subnet: its own address, the gateway and two for names at the start, one at the end. */
const RESERVED_AT_START = 4
const RESERVED_AT_END = 1

/** How many addresses of a subnet can be given out. */
export const usableAddressCount = (subnet: Cidr): number =>
  Math.max(0, addressCount(subnet) - RESERVED_AT_START - RESERVED_AT_END)

/** Whether the address is in the subnet and not reserved. */
export function isUsable(subnet: Cidr, address: string): boolean {
  const number = parseAddress(address)
  if (number === undefined || !isNumberIn(subnet, number)) return false
  const offset = number - subnet.network
  return offset >= RESERVED_AT_START && offset < addressCount(subnet) - RESERVED_AT_END
}

/** Addresses of a subnet that can be given out, lazily, from the bottom upwards or from the top downwards. */
export function* usableAddresses(
  subnet: Cidr,
  direction: 'upwards' | 'downwards' = 'upwards',
): Generator<string> {
  const count = usableAddressCount(subnet)
  const first = subnet.network + RESERVED_AT_START
  for (let n = 0; n < count; n++) {
    yield formatAddress(direction === 'upwards' ? first + n : first + count - 1 - n)
  }
}

function isNumberIn(prefix: Cidr, address: number): boolean {
  const offset = address - prefix.network
  return offset >= 0 && offset < addressCount(prefix)
}
