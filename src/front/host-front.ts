import type { IncomingMessage, ServerResponse } from 'node:http'
import net from 'node:net'
import type { Logger } from 'pino'
import { HOST_PLACE, setOrigin } from '../lib/origin.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'
import type { Authorities } from './authorities.ts'
import type { Planes } from './cloud-names.ts'
import type { Health } from './health.ts'
import { hostCertificate } from './host-certificates.ts'
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
import type { OwnCertificates } from './own-certificates.ts'
import { refuseMisdirected, refuseRegistryOnHost, refuseTarget } from './refusals.ts'
import { hostNameOf, hostPortOf, isPath, remoteAddressOf } from './request-head.ts'
import { createTlsListener, type TlsListener } from './tls-listener.ts'

export interface HostFrontOptions {
  readonly authorities: Pick<Authorities, 'place' | 'host'>
  readonly certificates: Pick<OwnCertificates, 'contextFor'>
  readonly directory: Pick<RegistryDirectory, 'byHost'>
  readonly registryDomain: string
  /** The operator's names of the control plane, lower case. */
  readonly hostNames: readonly string[]
  readonly planes: Planes
  readonly health: Health
  readonly log: Logger
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
   * Serves control plane, authority and registries on the host's own loopback address; port 0 takes any.
   *
   * @throws CannotStart where the port cannot be had
   */
  listenOnLoopback(port: number): Promise<TlsListener & { readonly port: number }>
  /** @throws CannotStart */
  listenAt(where: HostAddress): Promise<TlsListener>
}

export function createHostFront(options: HostFrontOptions): HostFront {
  const { authorities, planes, log } = options
  const names = { registry: registryNames(options), control: controlNames(options.hostNames) }

  /** Serves `served` on a server that is about to listen. */
  function serve(server: net.Server, served: HostNames, unnamed?: string): TlsListener {
    return createTlsListener(server, {
      log,
      ...(unnamed !== undefined && { unnamed }),
      contextFor: async (servername) =>
        served(servername) &&
        hostCertificate(servername, { authorities, own: options.certificates }),
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
    })
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
    async listenOnLoopback(port) {
      const server = net.createServer()
      const unnamed = await authorities.host.pemFor('localhost')
      const listener = serve(server, loopbackNames(options), unnamed)
      const at = { address: '127.0.0.1', port }
      const taken = await listen(server, at, 'give --port another number, or 0 for a free one.')
      return { port: taken, close: listener.close }
    },

    async listenAt(where) {
      const server = net.createServer()
      const listener = serve(server, eitherOf(...where.serves.map((what) => names[what])))
      await listen(server, where, 'mend the listeners in the configuration file.')
      return listener
    },
  }
}
