import type net from 'node:net'
import type { ListenerOrigin } from '../lib/origin.ts'
import type { TlsListener, TlsListenerOptions } from './tls-listener.ts'

/** What the host serves on one of its sockets: all that goes by loopback, or what the operator asked for there. */
export type HostSide = 'loopback' | 'registry' | 'control'

/** What a listener for https serves, as plain data, so that another process can serve the same. */
export type ServedAt =
  | { readonly side: 'place'; readonly where: ListenerOrigin }
  | { readonly side: 'host'; readonly names: readonly HostSide[] }

export interface FrontListenerOptions extends TlsListenerOptions {
  /** Whether a name (as `certificateFor` has it) leads to the registry plane here. */
  isRegistry(servername: string): boolean
}

/** Speaks https on a listening server. To be called in the tick in which the server begins to listen, or arrives. */
export type ServeTls = (
  server: net.Server,
  options: FrontListenerOptions,
  at: ServedAt,
) => TlsListener
