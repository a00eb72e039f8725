import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import net from 'node:net'
import type { Logger } from 'pino'
import { createClientGate } from '../dns/client-gate.ts'
import type { DnsServer } from '../dns/dns-server.ts'
import { CannotStart } from '../lib/cannot-start.ts'
import type { Clock } from '../lib/clock.ts'
import { createClosing } from '../lib/closing.ts'
import { HOST_PLACE } from '../lib/origin.ts'
import { listen } from './listen.ts'

interface Listener {
  readonly address: string
  readonly port: number
}

export interface NamesOnHost {
  /** Where it answers, `127.0.0.1:7453` first. */
  readonly sockets: readonly string[]
  /** Why not on loopback, where nobody asked for a certain port. */
  readonly unavailable?: { readonly cause: string; readonly cure: string }
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const CURE = "give 'names.port' in the configuration file another number, or 0 for a free one."
// Two protocols must have the same number free; a number that is free for one nearly always is for the other.
const ATTEMPTS = 20

/**
 * Answers for the host's names on loopback, and beyond it where the operator says so.
 *
 * @throws CannotStart for an address that was asked for and cannot be had
 */
export async function serveNamesOnHost(options: {
  readonly dns: DnsServer
  readonly asked: {
    readonly port: number
    readonly isPortAsked: boolean
    readonly listeners: readonly (Listener & { readonly allowedClients: readonly string[] })[]
  }
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
}): Promise<NamesOnHost> {
  const { dns, asked, clock, log } = options
  const closing = createClosing()
  const sockets: string[] = []
  let unavailable: NamesOnHost['unavailable']

  async function serve(at: Listener, cure: string, allowedClients?: readonly string[]) {
    const { port, tcp, udp } = await openSockets(at, cure)
    const gate = allowedClients && createClientGate({ allowedClients, clock })
    for (const served of [
      dns.serveUdp(udp, HOST_PLACE, gate),
      dns.serveTcp(tcp, HOST_PLACE, gate),
    ]) {
      closing.add(() => served.close())
    }
    sockets.push(`${at.address}:${port}`)
  }

  try {
    await serve({ address: LOOPBACK, port: asked.port }, CURE).catch((error) => {
      if (asked.isPortAsked || !(error instanceof CannotStart)) throw error
      const [cause = ''] = error.message.split(': ')
      unavailable = { cause: `${cause}.`, cure: `${CURE[0]?.toUpperCase()}${CURE.slice(1)}` }
      log.warn({ port: asked.port, err: error }, 'names are not served on loopback')
    })
    for (const listener of asked.listeners) {
      await serve(
        listener,
        'mend names.listeners in the configuration file.',
        listener.allowedClients,
      )
    }
  } catch (error) {
    await closing.close()
    throw error
  }
  return { sockets, ...(unavailable && { unavailable }), close: () => closing.close() }
}

/** UDP and TCP on one port. @throws CannotStart */
async function openSockets(
  { address, port }: Listener,
  cure: string,
): Promise<{ port: number; tcp: net.Server; udp: UdpSocket }> {
  for (let attempt = 1; ; attempt++) {
    const tcp = net.createServer()
    const taken = await listen(tcp, { address, port }, cure)
    const udp = createSocket('udp4')
    try {
      await bind(udp, address, taken)
      return { port: taken, tcp, udp }
    } catch (cause) {
      udp.close()
      await new Promise<void>((resolve) => tcp.close(() => resolve()))
      if (port === 0 && attempt < ATTEMPTS) continue
      const where = address === LOOPBACK ? `Port ${port}` : `Port ${port} of ${address}`
      throw new CannotStart(`${where} is taken: ${cure}`, { cause })
    }
  }
}

function bind(udp: UdpSocket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    udp.once('error', reject)
    udp.bind({ address, port, exclusive: true }, () => {
      udp.off('error', reject)
      resolve()
    })
  })
}
