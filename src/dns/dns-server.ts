import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram'
import type { Server } from 'node:net'
import type { Logger } from 'pino'
import type { PlaceId } from '../lib/origin.ts'
import { cacheKeyOf, createAnswerCache } from './answer-cache.ts'
import { answerQuery, refusal, serverFailure, type Transport, truncated } from './answer-query.ts'
import type { ClientGate } from './client-gate.ts'
import type { PublicNames } from './public-names.ts'
import type { RcodeTally } from './rcode-tally.ts'
import type { Resolver } from './resolver.ts'
import { serveDnsOverTcp } from './serve-tcp.ts'
import type { ZoneSource } from './zone-source.ts'

export interface Closable {
  close(): Promise<void>
}

/** The names plane on the wire. Sockets come in bound; each stands for one place. Without a gate everybody may ask. */
export interface DnsServer {
  serveUdp(socket: UdpSocket, place: PlaceId, gate?: ClientGate): Closable
  serveTcp(server: Server, place: PlaceId, gate?: ClientGate): Closable
}

const TURNED_AWAY = { refuse: refusal, truncate: truncated } as const

/** The names plane: answers what comes in on the sockets of a place from that place's view. */
export function createDnsServer({
  resolver,
  zones,
  names,
  log,
  tally,
}: {
  readonly resolver: Resolver
  /** What the resolver's answers come from. */
  readonly zones: Pick<ZoneSource, 'version'>
  readonly names: Pick<PublicNames, 'version'>
  readonly log: Pick<Logger, 'debug' | 'warn' | 'error'>
  readonly tally?: Pick<RcodeTally, 'count'>
}): DnsServer {
  const cache = createAnswerCache({ zones, names })

  function answer(place: PlaceId, message: Buffer, transport: Transport): Buffer | undefined {
    const key = cacheKeyOf(message, transport)
    const cached = key && cache.get(place, key, message)
    if (cached) return cached
    try {
      const answered = answerQuery(resolver, place, message, transport)
      if (!answered?.resolution) return answered?.response
      const { rcode, reasons } = answered.resolution
      log.debug({ place, transport, rcode, reasons }, 'name resolved')
      if (key) cache.set(place, key, answered.response)
      return answered.response
    } catch (err) {
      log.error({ err, place, transport }, 'a query failed')
      return serverFailure(message)
    }
  }

  function answerOverTcp(place: PlaceId, message: Buffer): Buffer | undefined {
    const response = answer(place, message, 'tcp')
    if (response) tally?.count(response)
    return response
  }

  return {
    serveUdp(socket, place, gate) {
      const onMessage = (message: Buffer, client: RemoteInfo) => {
        const verdict = gate?.judge(client.address) ?? 'answer'
        const response =
          verdict === 'answer' ? answer(place, message, 'udp') : TURNED_AWAY[verdict](message)
        if (!response || client.port === 0) return
        tally?.count(response)
        socket.send(response, client.port, client.address, (err) => {
          if (err) log.debug({ err, place }, 'an answer could not be sent')
        })
      }
      socket.on('message', onMessage)
      socket.on('error', (err) => log.warn({ err, place }, 'a name server socket failed'))
      let closed: Promise<void> | undefined
      return {
        close() {
          socket.off('message', onMessage)
          closed ??= new Promise((resolve) => socket.close(resolve))
          return closed
        },
      }
    },
    serveTcp: (server, place, gate) =>
      serveDnsOverTcp(server, (message) => answerOverTcp(place, message), {
        ...(gate && { isAdmitted: gate.isAdmitted }),
        onError: (err) => log.warn({ err, place }, 'a name server listener failed'),
      }),
  }
}
