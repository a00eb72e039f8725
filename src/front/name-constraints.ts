import { isIPv4 } from 'node:net'

/** What a certificate authority may sign: exactly these names and what lies below them; no address but those listed. */
export interface NameConstraints {
  readonly domains: readonly string[]
  /** Never, although they lie within `domains`. */
  readonly excludedDomains: readonly string[]
  /** IPv4 addresses; every other address is excluded when there are none. */
  readonly addresses: readonly string[]
}

export const NAME_CONSTRAINTS_OID = '2.5.29.30'

const SEQUENCE = 0x30
// Context tags of GeneralName and of NameConstraints, RFC 5280 §4.2.1.6 and §4.2.1.10.
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87
const PERMITTED = 0xa0
const EXCLUDED = 0xa1

/** The value of the NameConstraints extension, in DER. */
export function encodeNameConstraints(constraints: NameConstraints): Buffer {
  const { domains, excludedDomains, addresses } = constraints
  const permitted = [...domains.map(dnsName), ...addresses.map(singleAddress)]
  // Constraints bind only the kinds of name that they mention, so a kind without any permitted is excluded whole.
  const anyIPv6 = tagged(IP_ADDRESS, Buffer.alloc(32))
  const anyIPv4 = tagged(IP_ADDRESS, Buffer.alloc(8))
  const excluded = [
    ...excludedDomains.map(dnsName),
    ...(addresses.length === 0 ? [anyIPv4] : []),
    anyIPv6,
  ]
  return tagged(SEQUENCE, subtrees(PERMITTED, permitted), subtrees(EXCLUDED, excluded))
}

const subtrees = (tag: number, names: readonly Buffer[]): Buffer =>
  tagged(tag, ...names.map((name) => tagged(SEQUENCE, name)))

const dnsName = (domain: string): Buffer => tagged(DNS_NAME, Buffer.from(domain, 'ascii'))

function singleAddress(address: string): Buffer {
  if (!isIPv4(address)) throw new Error(`'${address}' is not an IPv4 address`)
  return tagged(IP_ADDRESS, Buffer.from([...address.split('.').map(Number), 255, 255, 255, 255]))
}

function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
