import { networkInterfaces } from 'node:os'
import { EgressError } from '../lib/egress-error.ts'
import { type Address, classOf, parseAddress } from './address-class.ts'
import type { AllowList } from './allow-list.ts'

/** Where a request goes: addresses that were checked, and the name under which they were found. */
export interface Target {
  readonly url: URL
  /** Lower case, without brackets or a final dot. */
  readonly host: string
  readonly port: number
  readonly addresses: readonly string[]
}

/** The addresses of a name, none of them checked. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** What is Causeway's own, and never asked over the network, whatever the operator allows. */
export interface OwnTargets {
  /** Lower case. */
  isOwnName(host: string): boolean
  /** Ports on which this server listens outside of places. */
  ports(): readonly number[]
}

/** Resolves the host of a URL once and checks each address. @throws EgressError */
export async function findTarget(
  text: string,
  { allow, own, resolve }: { allow: AllowList; own: OwnTargets; resolve: Resolve },
): Promise<Target> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.username || url.password) {
    throw new EgressError('bad-url', url?.host ?? 'this text')
  }
  // The URL parser has written decimal, octal, hexadecimal and short IPv4 literals with four parts.
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const port = Number(url.port || 443)
  if (own.isOwnName(host)) throw new EgressError('refused-target', host)
  const literal = parseAddress(host)
  const found = literal ? [host] : await resolve(host).catch(unresolved(host))
  if (found.length === 0) throw new EgressError('unresolved', host)
  const addresses = found.map((each) => {
    const address = parseAddress(each)
    // One bad address among good ones is no accident.
    if (!address || !allow.isOpen(host, address) || isOwnListener(address, port, own)) {
      throw new EgressError('refused-target', host, { cause: new Error(`${host} is ${each}`) })
    }
    return address.toString()
  })
  return { url, host, port, addresses }
}

function isOwnListener(address: Address, port: number, own: OwnTargets): boolean {
  if (!own.ports().includes(port)) return false
  const isOfThisMachine = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .some((each) => parseAddress(each.address)?.toString() === address.toString())
  return isOfThisMachine || classOf(address) === 'machine'
}

const unresolved = (host: string) => (cause: unknown) => {
  throw new EgressError('unresolved', host, { cause })
}
