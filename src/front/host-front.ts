import type { IncomingMessage, ServerResponse } from 'node:http'
import net from 'node:net'
import type { Logger } from 'pino'
import { HOST_PLACE, setOrigin } from '../lib/origin.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'
import type { Planes } from './cloud-names.ts'
import type { Health } from './health.ts'
import {
  controlNames,
  eitherOf,
  type HostName,
  type HostNames,
  loopbackNames,
  registryNames,
} from './host-names.ts'
import { hostPlaneOf } from './host-paths.ts'
import { listen } from './listen.ts'
import { refuseMisdirected, refuseRegistryOnHost, refuseTarget } from './refusals.ts'
import { hostNameOf, hostPortOf, isPath, remoteAddressOf } from './request-head.ts'
import type { FrontListenerOptions, HostSide, ServeTls } from './served-at.ts'
import { createTlsListener, type TlsListener, type TlsListenerOptions } from './tls-listener.ts'

export interface HostFrontOptions {
  /** By which certificate the host shows a name; undefined for one that it shows by none. */
  readonly certificateFor: TlsListenerOptions['certificateFor']
  readonly directory: Pick<RegistryDirectory, 'byHost'>
  readonly registryDomain: string
  /** The operator's names of the control plane, lower case. */
  readonly hostNames: readonly string[]
  readonly planes: Planes
  readonly health: Health
  readonly log: Logger
  /** By default in this process. */
  readonly serveTls?: ServeTls
}

/** An address beyond loopback, and what the operator serves there. */
export interface HostAddress {
  readonly address: string
  readonly port: number
  readonly serves: readonly ('registry' | 'control')[]
}

/** The front of the host itself, where a name is all that tells one thing from another. */
export interface HostFront {
  /**
   * Serves control plane, authority and registries on the host's own loopback address; port 0 takes any. `unnamed` is
   * for clients that name no server: certificate and key, PEM.
   *
   * @throws CannotStart where the port cannot be had
   */
  listenOnLoopback(port: number, unnamed: string): Promise<TlsListener & { readonly port: number }>
  /** @throws CannotStart */
  listenAt(where: HostAddress): Promise<TlsListener>
  /** What a listener that serves these does with its connections. */
  optionsAt(sides: readonly HostSide[]): FrontListenerOptions
}

export function createHostFront(options: HostFrontOptions): HostFront {
  const { certificateFor, planes, log, serveTls = createTlsListener } = options
  const names: Readonly<Record<HostSide, HostNames>> = {
    loopback: loopbackNames(options),
    registry: registryNames(options),
    control: controlNames(options.hostNames),
  }

  function optionsAt(sides: readonly HostSide[]): FrontListenerOptions {
    const served = eitherOf(...sides.map((side) => names[side]))
    return {
      log,
      isRegistry: (servername) => served(servername)?.to === 'registry',
      certificateFor: (servername) => (served(servername) ? certificateFor(servername) : undefined),
      handle(request, response, servername) {
        if (!isPath(request.url)) return refuseTarget(response)
        const found = served(hostNameOf(request) ?? '')
        // A page from elsewhere can make a browser come here under a name of its own.
        if (!found || (servername !== undefined && served(servername)?.to !== found.to)) {
          return refuseMisdirected(response, request.headers.host)
        }
        if (found.to === 'control') return toControlPlane(request.url, request, response)
        toRegistry(found, request, response)
      },
    }
  }

  function toControlPlane(url: string, request: IncomingMessage, response: ServerResponse): void {
    if (options.health.isProbe(url)) {
      options.health.handle(request, response)
      return
    }
    const plane = hostPlaneOf(url)
    if (plane === 'registry') {
      refuseRegistryOnHost(response)
      return
    }
    setOrigin(request, { via: 'host', address: remoteAddressOf(request) })
    planes[plane](request, response)
  }

  function toRegistry(
    { host, domain }: HostName & { readonly to: 'registry' },
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    // Where the client came is where it will come again: a port may have been forwarded to this one.
    const reach = { port: hostPortOf(request), ...(domain && { domain }) }
    const address = remoteAddressOf(request)
    setOrigin(request, { via: 'public', place: HOST_PLACE, address, reach })
    request.headers.host = host
    planes.registry(request, response)
  }

  return {
    optionsAt,

    async listenOnLoopback(port, unnamed) {
      const server = net.createServer()
      const at = { address: '127.0.0.1', port }
      const taken = await listen(server, at, 'give --port another number, or 0 for a free one.')
      const sides = ['loopback'] as const
      const listener = serveTls(
        server,
        { ...optionsAt(sides), unnamed },
        { side: 'host', names: sides },
      )
      return { port: taken, close: listener.close }
    },

    async listenAt(where) {
      const server = net.createServer()
      await listen(server, where, 'mend the listeners in the configuration file.')
      return serveTls(server, optionsAt(where.serves), { side: 'host', names: where.serves })
    },
  }
}
