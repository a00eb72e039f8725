import type { IncomingMessage } from 'node:http'
import type net from 'node:net'
import type { Logger } from 'pino'
import { type ListenerOrigin, type Origin, setOrigin } from '../lib/origin.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'
import { CLOUD_NAMES, type Plane, type Planes } from './cloud-names.ts'
import { refuseMisdirected, refuseTarget } from './refusals.ts'
import { hostNameOf, isPath, remoteAddressOf } from './request-head.ts'
import type { FrontListenerOptions, ServeTls } from './served-at.ts'
import { createTlsListener, type TlsListener, type TlsListenerOptions } from './tls-listener.ts'

export interface FrontOptions {
  /** By which certificate a place shows a name; undefined for one that it shows by none. */
  readonly certificateFor: TlsListenerOptions['certificateFor']
  readonly directory: Pick<RegistryDirectory, 'byHost'>
  readonly planes: Planes
  readonly log: Logger
  /** By default in this process. */
  readonly serveTls?: ServeTls
}

export interface Front {
  /** Serves https on a listening server of a place. To be called in the tick in which the server arrives. */
  accept(server: net.Server, where: ListenerOrigin): TlsListener
  /** What such a listener does with its connections. */
  optionsAt(where: ListenerOrigin): FrontListenerOptions
}

/** The front of all planes in places: TLS, then the plane that the host name leads to, with the request's origin beside it. */
export function createFront(options: FrontOptions): Front {
  const { certificateFor, directory, planes, log, serveTls = createTlsListener } = options
  const planeOf = (name: string): Plane | undefined =>
    CLOUD_NAMES.get(name) ?? (directory.byHost(name) && 'registry')

  function optionsAt(where: ListenerOrigin): FrontListenerOptions {
    const isServed = (name: string) => where.via === 'public' || name === where.host
    return {
      log,
      isRegistry: (servername) => isServed(servername) && planeOf(servername) === 'registry',
      certificateFor: (servername) =>
        isServed(servername) && planeOf(servername) ? certificateFor(servername) : undefined,
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
    }
  }

  return {
    accept: (server, where) => serveTls(server, optionsAt(where), { side: 'place', where }),
    optionsAt,
  }
}

function originAt(where: ListenerOrigin, request: IncomingMessage): Origin {
  const { via, place } = where
  const address = remoteAddressOf(request)
  if (via === 'public') return { via, place, address: where.egressAddress ?? address }
  return { via, place, endpoint: where.endpoint, host: where.host, address }
}
