import type { IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import type net from 'node:net'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { Logger } from 'pino'
import { TLS_SETTINGS } from './tls-settings.ts'

/** What a server shows a client to prove that a name is its own. */
export interface ServerCertificate {
  readonly context: SecureContext
  /** Certificate, those that signed it, and key, PEM. */
  readonly pem: string
}

/** What a listener does with a connection, once TLS has told which name the client came for. */
export interface TlsListenerOptions {
  /** The certificate for a name (lower case, no trailing dot); undefined refuses the handshake. */
  certificateFor(servername: string): Promise<ServerCertificate | undefined> | undefined
  /** Certificate and key, PEM, for clients that name no server, as those do that connect to an address. Without it they are refused. */
  readonly unnamed?: string
  /** `servername` is as above, and undefined for a client that named none, and for one that resumes a session of TLS 1.2, which does not repeat it. */
  handle(request: IncomingMessage, response: ServerResponse, servername: string | undefined): void
  readonly log: Logger
  /** How long a client may take to send the head of a request. */
  readonly headersMsMax?: number
  /** Encrypts the sessions that clients keep, 48 bytes: servers with the same resume each other's. */
  readonly ticketKeys?: Buffer
}

/** Speaks https on connections that somebody else accepts. */
export interface TlsServer {
  /** What was read of the connection already must have been unshifted into it. */
  accept(socket: net.Socket): void
  /** Destroys every connection, requests in progress included. */
  close(): void
}

export interface TlsListener {
  /** Stops accepting and destroys every connection, requests in progress included. */
  close(): Promise<void>
}

const HANDSHAKE_MS_MAX = 10_000
const HEADERS_MS_MAX = 30_000
const CHECKED_EVERY_MS = 5_000
const KEPT_ALIVE_MS = 75_000
// A connection on which nothing at all moves; a body may take as long as it likes.
const SILENT_MS_MAX = 10 * 60_000
const HEADER_BYTES_MAX = 64 * 1024

export function createTlsServer(options: TlsListenerOptions): TlsServer {
  const { log, headersMsMax = HEADERS_MS_MAX } = options
  const secure = https.createServer({
    ...(options.unnamed !== undefined && { cert: options.unnamed, key: options.unnamed }),
    ...(options.ticketKeys && { ticketKeys: options.ticketKeys }),
    ...TLS_SETTINGS,
    SNICallback(servername: string, done: (error: null, context?: SecureContext) => void) {
      // Without a context the handshake ends with an alert: there is no certificate to fall back to.
      Promise.try(() => options.certificateFor(normalizedName(servername))).then(
        (certificate) => done(null, certificate?.context),
        (error: unknown) => {
          log.error({ err: error, servername }, 'no certificate')
          done(null, undefined)
        },
      )
    },
    handshakeTimeout: HANDSHAKE_MS_MAX,
    headersTimeout: headersMsMax,
    requestTimeout: 0,
    keepAliveTimeout: KEPT_ALIVE_MS,
    connectionsCheckingInterval: Math.min(CHECKED_EVERY_MS, headersMsMax),
    maxHeaderSize: HEADER_BYTES_MAX,
  })
  secure.setTimeout(SILENT_MS_MAX)

  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const { servername } = request.socket as TLSSocket & { servername?: string | false }
    options.handle(request, response, servername ? normalizedName(servername) : undefined)
  }
  secure.on('request', serve)
  // The body is asked for at once: whether it is wanted, the planes say before they read it or not at all.
  secure.on('checkContinue', (request, response) => {
    response.writeContinue()
    serve(request, response)
  })
  secure.on('tlsClientError', (error) => log.debug({ err: error }, 'handshake failed'))
  // Node begins to enforce headersTimeout when a server starts to listen; this one is fed instead.
  secure.emit('listening')

  const connections = new Set<net.Socket>()
  return {
    accept(socket) {
      connections.add(socket)
      socket.once('close', () => connections.delete(socket))
      socket.on('error', (error) => log.debug({ err: error }, 'connection failed'))
      socket.setNoDelay(true)
      secure.emit('connection', socket)
    },
    close() {
      secure.close()
      // A reset, so that not even what is already in the send buffer arrives.
      for (const socket of connections) socket.resetAndDestroy()
    },
  }
}

/** Speaks https on the connections of `server`, a listening server that somebody else has opened. */
export function createTlsListener(server: net.Server, options: TlsListenerOptions): TlsListener {
  const { accept, close } = createTlsServer(options)
  server.on('connection', accept)
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      close()
      await closed
      server.off('connection', accept)
    },
  }
}

/** A name as TLS has it, in lower case and without its final dot. */
export const normalizedName = (servername: string): string =>
  servername.toLowerCase().replace(/\.$/, '')
