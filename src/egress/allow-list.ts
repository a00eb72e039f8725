import ipaddr from 'ipaddr.js'
import { CannotStart } from '../lib/cannot-start.ts'
import { type Address, classOf, isIn, type Prefix, parseAddress } from './address-class.ts'

/** What the operator opens beyond the public internet. */
export interface AllowList {
  isOpen(host: string, address: Address): boolean
}

const MACHINE_RANGES = ['127.0.0.0/8', '169.254.0.0/16', '::1/128', 'fe80::/10'].map((text) =>
  ipaddr.parseCIDR(text),
)
const HOST_NAME = /^(?!.*\.\.)[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/

/**
 * Reads prefixes, addresses and host names. A host name opens what it resolves to in private ranges, and so does a prefix.
 * The machine itself and its link are opened only by a prefix that lies in them, so that `0.0.0.0/0`, or a name that
 * somebody else points at loopback, does not do it by accident.
 *
 * @throws CannotStart
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const prefixes: Prefix[] = []
  const names = new Set<string>()
  for (const entry of entries) {
    const prefix = parsePrefix(entry)
    const name = entry.toLowerCase().replace(/\.$/, '')
    if (prefix) prefixes.push(prefix)
    else if (HOST_NAME.test(name) && !/^[\d.]+$/.test(name)) names.add(name)
    else {
      throw new CannotStart(
        `'${entry}' cannot be allowed for egress: give a prefix (10.1.0.0/16), an address or a host name.`,
      )
    }
  }
  const ofMachine = prefixes.filter(([network, length]) =>
    MACHINE_RANGES.some((range) => length >= range[1] && isIn(network, range)),
  )
  return {
    isOpen(host, address) {
      const within = (list: readonly Prefix[]) => list.some((prefix) => isIn(address, prefix))
      switch (classOf(address)) {
        case 'public':
          return true
        case 'special':
          return names.has(host) || within(prefixes)
        case 'machine':
          return within(ofMachine)
        case 'never':
          return false
      }
    },
  }
}

function parsePrefix(text: string): Prefix | undefined {
  const address = parseAddress(text)
  if (address) return [address, address.kind() === 'ipv4' ? 32 : 128]
  const [network = '', length = '', ...rest] = text.split('/')
  if (!parseAddress(network) || !/^\d{1,3}$/.test(length) || rest.length > 0) return undefined
  return ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined
}
