import type dgram from 'node:dgram'
import type net from 'node:net'
import type { ListenerOrigin, PlaceId } from '../lib/origin.ts'

export interface Closable {
  close(): Promise<void>
}

/**
 * Who answers on the sockets of places; owned by places, implemented by the front, the names plane and identity. Called in the
 * very tick in which a socket arrives, already listening: handlers must be attached before returning.
 */
export interface Listeners {
  /** `close` stops listening and destroys every connection that came in this way. */
  https(server: net.Server, where: ListenerOrigin): Closable
  dnsUdp(socket: dgram.Socket, place: PlaceId): Closable
  dnsTcp(server: net.Server, place: PlaceId): Closable
  /** Plain http: the instance metadata service. */
  metadata(server: net.Server, place: PlaceId): Closable
}
