import { type Cidr, contains, parseCidr } from '../lib/cidr.ts'
import type { Clock } from '../lib/clock.ts'

/** Who may ask a name server beyond loopback, and how often. */
export interface ClientGate {
  /** For a datagram: to be answered, refused, or sent to TCP, since its address may be forged and too much is asked by it. */
  judge(address: string): 'answer' | 'refuse' | 'truncate'
  /** For a connection. */
  isAdmitted(address: string): boolean
}

// A forwarder with a cache asks far less; a flood in somebody's name would ask far more.
const QUERIES_PER_SECOND_MAX = 1000
const COUNTED_MAX = 65536

/** Admits the clients of these prefixes (CIDR), each with so many datagrams a second. */
export function createClientGate(options: {
  readonly allowedClients: readonly string[]
  readonly clock: Clock
  readonly queriesPerSecondMax?: number
}): ClientGate {
  const { clock, queriesPerSecondMax = QUERIES_PER_SECOND_MAX } = options
  const prefixes = options.allowedClients.map(requirePrefix)
  const isAdmitted = (address: string) => prefixes.some((prefix) => contains(prefix, address))
  const counts = new Map<string, number>()
  let second = 0

  return {
    judge(address) {
      if (!isAdmitted(address)) return 'refuse'
      const now = Math.floor(clock.now().getTime() / 1000)
      if (now !== second || counts.size >= COUNTED_MAX) counts.clear()
      second = now
      const count = (counts.get(address) ?? 0) + 1
      counts.set(address, count)
      return count > queriesPerSecondMax ? 'truncate' : 'answer'
    },
    isAdmitted,
  }
}

function requirePrefix(text: string): Cidr {
  const prefix = parseCidr(text)
  if (!prefix) throw new Error(`'${text}' is not a prefix`)
  return prefix
}
