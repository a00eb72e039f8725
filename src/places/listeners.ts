import type dgram from 'node:dgram'
import type net from 'node:net'
import type { PlaceId } from '../lib/origin.ts'

/** What a listener for https is, before any client has come. */
export type ListenerOrigin =
  | {
      readonly via: 'public'
      readonly place: PlaceId
      /** What the service sees as the client's address; absent where clients show their own. */
      readonly egressAddress?: string
    }
  | {
      readonly via: 'endpoint'
      readonly place: PlaceId
      /** ARM id of the private endpoint. */
      readonly endpoint: string
      readonly host: string
      readonly address: string
    }

export interface Closable {
  close(): Promise<void>
}

/**
 * Who answers on the sockets of places; owned by places, implemented by the front and the names plane. Called in the
 * very tick in which a socket arrives, already listening: handlers must be attached before returning.
 */
export interface Listeners {
  /** `close` stops listening and destroys every connection that came in this way. */
  https(server: net.Server, where: ListenerOrigin): Closable
  dnsUdp(socket: dgram.Socket, place: PlaceId): Closable
  dnsTcp(server: net.Server, place: PlaceId): Closable
}
