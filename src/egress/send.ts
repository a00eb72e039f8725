import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { SecureContext } from 'node:tls'
import { EgressError } from '../lib/egress-error.ts'
import type { Target } from './find-target.ts'
import type { Hop } from './hop.ts'

export interface Patience {
  /** For TCP and TLS together. */
  readonly connectSeconds: number
  /** From the request to the first byte of its answer. */
  readonly firstByteSeconds: number
  /** Between two pieces of the answer's body. */
  readonly idleSeconds: number
}

export interface SendOptions {
  /** Whose certificates are trusted. */
  readonly trust: SecureContext
  readonly patience: Patience
  readonly signal: AbortSignal
}

/** An answer whose head has come. */
export interface Sent {
  readonly response: IncomingMessage
  /** The address that it came from. */
  readonly address: string
}

/** Sends to the first of a target's addresses that takes a connection. @throws EgressError */
export async function send(target: Target, hop: Hop, options: SendOptions): Promise<Sent> {
  let last: unknown
  for (const address of target.addresses) {
    try {
      return { response: await sendTo(address, target, hop, options), address }
    } catch (error) {
      // Only of a connection that never was it is certain that nobody has heard the request.
      if (!(error instanceof EgressError && error.kind === 'unreachable')) throw error
      last = error
    }
  }
  throw last
}

function sendTo(
  address: string,
  { url, host, port }: Target,
  { method, headers, body }: Hop,
  { trust, patience, signal }: SendOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let stage: 'unreachable' | 'tls' | 'broken-off' = 'unreachable'
    const request = httpsRequest({
      // The checked address itself: nothing is left to be resolved.
      host: address,
      port,
      // The certificate is checked against the name; an address is no server name (RFC 6066).
      servername: isIP(host) ? '' : host,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { ...headers, host: url.host, 'accept-encoding': 'identity' },
      // An agent of its own takes no proxy from the environment and shares no connection.
      agent: new Agent({ keepAlive: false, secureContext: trust }),
      rejectUnauthorized: true,
    })
    const fail = (error: unknown) => {
      settle()
      request.destroy()
      reject(error instanceof EgressError ? error : new EgressError(stage, host, { cause: error }))
    }
    const tooSlow = () => fail(new EgressError('timeout', host))
    const abort = () => fail(signal.reason)
    let timer = setTimeout(tooSlow, patience.connectSeconds * 1000)
    const settle = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    // What fails after the answer's head has come is met in its body.
    request.on('error', fail)
    request.once('socket', (socket) => {
      socket.once('connect', () => {
        stage = 'tls'
      })
      socket.once('secureConnect', () => {
        stage = 'broken-off'
        clearTimeout(timer)
        timer = setTimeout(tooSlow, patience.firstByteSeconds * 1000)
      })
    })
    request.once('response', (response) => {
      settle()
      // Whoever reads the body meets its failure there; where nobody does, it is nobody's.
      response.on('error', () => undefined)
      resolve(response)
    })
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    request.end(body)
  })
}
