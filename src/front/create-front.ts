import type { IncomingMessage, ServerResponse } from 'node:http'
import net from 'node:net'
import type { Logger } from 'pino'
import { CannotStart } from '../lib/cannot-start.ts'
import { type ListenerOrigin, type Origin, setOrigin } from '../lib/origin.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'
import type { Authorities } from './authorities.ts'
import { CLOUD_NAMES, type Plane } from './cloud-names.ts'
import { hostPlaneOf } from './host-paths.ts'
import { NameNotCovered } from './leaf-certificates.ts'
import { refuseMisdirected, refuseRegistryOnHost, refuseTarget } from './refusals.ts'
import { createTlsListener, type TlsListener } from './tls-listener.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface FrontOptions {
  readonly authorities: Pick<Authorities, 'place' | 'host'>
  readonly directory: Pick<RegistryDirectory, 'byHost'>
  readonly planes: Readonly<Record<Plane, Handler>>
  readonly log: Logger
}

export interface Front {
  /** Serves https on a listening server of a place. To be called in the tick in which the server arrives. */
  accept(server: net.Server, where: ListenerOrigin): TlsListener
  /**
   * Serves control plane and authority on the host's own loopback address; port 0 takes any.
   *
   * @throws CannotStart where the port cannot be had
   */
  listenOnHost(port: number): Promise<TlsListener & { readonly port: number }>
}

const HOST_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1'])

/** The front of all planes: TLS, then the plane that the host name leads to, with the request's origin beside it. */
export function createFront(options: FrontOptions): Front {
  const { authorities, directory, planes, log } = options
  const planeOf = (name: string): Plane | undefined =>
    CLOUD_NAMES.get(name) ?? (directory.byHost(name) && 'registry')

  const acceptAt = (server: net.Server, where: ListenerOrigin): TlsListener => {
    const isServed = (name: string) => where.via === 'public' || name === where.host
    return createTlsListener(server, {
      log,
      async contextFor(servername) {
        if (!isServed(servername) || !planeOf(servername)) return undefined
        try {
          return await authorities.place.leafFor(servername)
        } catch (error) {
          if (error instanceof NameNotCovered) return undefined
          throw error
        }
      },
      handle(request, response, servername) {
        const host = hostNameOf(request)
        if (!isPath(request.url)) return refuseTarget(response)
        const plane = host === undefined || !isServed(host) ? undefined : planeOf(host)
        // Without a name no session begins here: one without is resumed, and its name was checked when it began.
        if (!plane || (servername !== undefined && planeOf(servername) !== plane)) {
          return refuseMisdirected(response, request.headers.host)
        }
        // Planes compare host names; port and case are settled here.
        request.headers.host = host
        setOrigin(request, originAt(where, request))
        planes[plane](request, response)
      },
    })
  }

  return {
    accept: acceptAt,

    async listenOnHost(port) {
      const unnamed = await authorities.host.pemFor('localhost')
      const server = net.createServer()
      const listener = createTlsListener(server, {
        log,
        unnamed,
        contextFor: async (servername) =>
          HOST_NAMES.has(servername) ? authorities.host.leafFor('localhost') : undefined,
        handle(request, response) {
          if (!isPath(request.url)) return refuseTarget(response)
          // A page from elsewhere can make a browser come here under a name of its own.
          if (!HOST_NAMES.has(hostNameOf(request) ?? '')) {
            return refuseMisdirected(response, request.headers.host)
          }
          setOrigin(request, { via: 'host', address: remoteAddressOf(request) })
          const plane = hostPlaneOf(request.url)
          if (plane === 'registry') return refuseRegistryOnHost(response)
          planes[plane](request, response)
        },
      })
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error) => reject(portRefused(port, error)))
        server.listen(port, '127.0.0.1', () => {
          server.removeAllListeners('error')
          resolve()
        })
      })
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('no port')
      return { port: address.port, close: listener.close }
    },
  }
}

function portRefused(port: number, cause: NodeJS.ErrnoException): CannotStart {
  const reason = cause.code === 'EADDRINUSE' ? 'is taken' : `cannot be had (${cause.message})`
  return new CannotStart(
    `Port ${port} ${reason}: give --port another number, or 0 for a free one.`,
    { cause },
  )
}

const isPath = (url: string | undefined): url is string => url?.startsWith('/') === true

/** The host that the request is for: lower case, without port and trailing dot. */
function hostNameOf(request: IncomingMessage): string | undefined {
  const name = /^([^:[\]/@\s]+)(?::\d{1,5})?$/.exec(request.headers.host ?? '')?.[1]
  return name?.toLowerCase().replace(/\.$/, '')
}

function originAt(where: ListenerOrigin, request: IncomingMessage): Origin {
  const { via, place } = where
  const address = remoteAddressOf(request)
  if (via === 'public') return { via, place, address: where.egressAddress ?? address }
  return { via, place, endpoint: where.endpoint, host: where.host, address }
}

const remoteAddressOf = (request: IncomingMessage): string =>
  (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
