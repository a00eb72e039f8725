import { lookup } from 'node:dns/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'
import { EgressError } from '../lib/egress-error.ts'
import type { AllowList } from './allow-list.ts'
import { deadlineOf } from './deadline.ts'
import { findTarget, type OwnTargets, type Resolve } from './find-target.ts'
import type { Hop, Method } from './hop.ts'
import { openJournal } from './journal.ts'
import { receive } from './receive.ts'
import { redirected } from './redirect.ts'
import { type Patience, send } from './send.ts'

const REDIRECTS_MAX = 5
const PATIENCE: Patience = { connectSeconds: 10, firstByteSeconds: 30, idleSeconds: 30 }

export interface EgressRequest {
  readonly url: string
  /** GET by default. */
  readonly method?: Method
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** For the log: on whose behalf, and what for. */
  readonly who: string
  readonly what: string
  /** Of the answer's body. */
  readonly bytesMax: number
  /** For all of it: redirects, head and body. */
  readonly timeoutSeconds: number
  /** How many redirects are followed; 5 unless said. */
  readonly redirectsMax?: number
  readonly signal?: AbortSignal
}

export interface EgressAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Where it came from in the end. */
  readonly url: string
  /** To be read to its end, or left to `discard`. Throws EgressError. */
  readonly body: AsyncIterable<Uint8Array>
  /** Ends the connection without the body, or what is left of it. */
  discard(): void
}

export interface Egress {
  /**
   * Fetches an https URL. Its name is resolved once for each connection, every address is checked, and the connection
   * goes to a checked address. Redirects are followed, each checked like the first.
   *
   * @throws EgressError
   */
  fetch(request: EgressRequest): Promise<EgressAnswer>
}

export interface EgressOptions {
  readonly allow: AllowList
  readonly own: OwnTargets
  readonly log: Pick<Logger, 'info'>
  readonly clock: Clock
  /** PEM, besides those that the system trusts. */
  readonly authorities?: readonly string[]
  readonly resolve?: Resolve
  readonly patience?: Partial<Patience>
}

/** The one way from this server to the world. */
export function createEgress(options: EgressOptions): Egress {
  const { allow, own, log, clock, resolve = byTheMachine } = options
  const patience = { ...PATIENCE, ...options.patience }
  // Once for all connections, and for the first of them: some hundred certificates take time and memory.
  let trust: SecureContext | undefined
  const trusted = (): SecureContext => {
    trust ??= createSecureContext({
      ca: [...systemAuthorities(), ...(options.authorities ?? [])],
    })
    return trust
  }

  return {
    async fetch(request) {
      const journal = openJournal(request, { log, clock })
      const deadline = deadlineOf(hostOf(request.url), request)
      const { signal } = deadline
      const end = (outcome: string): void => {
        deadline.clear()
        journal.close(outcome)
      }

      async function follow(hop: Hop, left: number): Promise<Followed> {
        const note = journal.hop(hostOf(hop.url))
        const target = await deadline.race(findTarget(hop.url, { allow, own, resolve }))
        const { response, address } = await send(target, hop, {
          trust: trusted(),
          patience,
          signal,
        })
        const { statusCode: status = 0, headers } = response
        note(address, status)
        try {
          const next = redirected(hop, { status, headers })
          if (!next) return { url: hop.url, response, status }
          if (left === 0) throw new EgressError('redirects', target.host)
          response.destroy()
          return await follow(next, left - 1)
        } catch (error) {
          response.destroy()
          throw error
        }
      }

      try {
        const { url, response, status } = await follow(
          firstHop(request),
          request.redirectsMax ?? REDIRECTS_MAX,
        )
        // Also of an answer that nobody has begun to read.
        const abandon = () => {
          response.destroy()
          end(outcomeOf(signal.reason))
        }
        signal.addEventListener('abort', abandon, { once: true })
        const { idleSeconds } = patience
        const { bytesMax } = request
        const chunks = receive(response, { host: hostOf(url), bytesMax, idleSeconds, signal })
        async function* body() {
          try {
            for await (const chunk of chunks) {
              journal.count(chunk.length)
              yield chunk
            }
          } catch (error) {
            end(outcomeOf(error))
            throw error
          } finally {
            end(response.complete ? 'complete' : 'discarded')
          }
        }
        const discard = () => {
          response.destroy()
          end('discarded')
        }
        return { status, headers: response.headers, url, body: body(), discard }
      } catch (error) {
        end(outcomeOf(error))
        throw error
      }
    },
  }
}

interface Followed {
  readonly url: string
  readonly response: IncomingMessage
  readonly status: number
}

const firstHop = ({ url, method = 'GET', headers = {}, body }: EgressRequest): Hop => ({
  url,
  method,
  headers: Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  ),
  ...(body && { body }),
})

const outcomeOf = (error: unknown): string => (error instanceof EgressError ? error.kind : 'failed')

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'this text')

/** The way of the machine's own programs: hosts file, then resolver. */
const byTheMachine: Resolve = async (host) =>
  (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address)

/** Those that the system trusts; Node's own where the system has none. */
function systemAuthorities(): readonly string[] {
  const system = getCACertificates('system')
  return system.length > 0 ? system : getCACertificates('bundled')
}
