/** `internet`, or `net-<key>` for the place of a virtual network. Addresses may overlap between places; this never does. */
export type PlaceId = string

/** The place of the virtual network with this resource guid. */
export const networkPlace = (resourceGuid: string): PlaceId =>
  `net-${resourceGuid.slice(0, 8).toLowerCase()}`

/** The place of clients that come to the host's own listeners. */
export const HOST_PLACE: PlaceId = 'host'

/** On the host, registries are found at another port than 443, and under `localhost` by those who have no resolver for them. */
export interface Reach {
  readonly port: number
  readonly domain?: { readonly served: string; readonly said: string }
}

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

/**
 * Where a connection came in. Set by the listener that accepted it and by nothing else: no header, no guess.
 *
 * `address` is the client's IPv4 address as the service sees it: on the public side a network's egress address,
 * behind an endpoint the client's own address in the network.
 */
export type Origin =
  | {
      readonly via: 'public'
      readonly place: PlaceId
      readonly address: string
      /** How this client writes host names; absent where it writes them as they are. */
      readonly reach?: Reach
    }
  | {
      readonly via: 'endpoint'
      readonly place: PlaceId
      /** ARM id of the private endpoint. */
      readonly endpoint: string
      /** The one host name that this listener serves, lower case. */
      readonly host: string
      readonly address: string
    }
  /** The host itself, by its own names; they lead to the control plane and the authority, never to a registry. */
  | { readonly via: 'host'; readonly address: string }

const ORIGIN = Symbol('origin')

/** Called by the front alone, before a request reaches a plane. */
export function setOrigin(request: object & { [ORIGIN]?: Origin }, origin: Origin): void {
  request[ORIGIN] = origin
}

/** The origin of a raw request. Throws for a request that did not come through the front. */
export function originOf(request: object & { readonly [ORIGIN]?: Origin }): Origin {
  const origin = request[ORIGIN]
  if (!origin) throw new Error('a request without an origin')
  return origin
}

/** `host`, a registry's, as the client with this origin must write it to get there: with a port where that is not 443. */
export function hostFor(origin: Origin, host: string): string {
  const reach = origin.via === 'public' ? origin.reach : undefined
  if (!reach) return host
  const { domain, port } = reach
  const said = domain ? `${host.slice(0, -domain.served.length)}${domain.said}` : host
  return port === 443 ? said : `${said}:${port}`
}
