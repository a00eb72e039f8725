import type { HostSummary } from './contract.ts'

interface Listener {
  readonly address: string
  readonly port: number
}

interface Listeners {
  readonly listeners: readonly Listener[]
}

const socketsOf = ({ listeners }: Listeners): readonly string[] =>
  listeners.map(({ address, port }) => `${address}:${port}`)

/** What the host serves, by what was asked for and where it came to listen. */
export function describeHost(options: {
  readonly config: {
    readonly registry: Listeners
    readonly controlPlane: Listeners
    readonly health: Listeners
  }
  readonly port: number
  readonly names: {
    readonly sockets: readonly string[]
    readonly unavailable?: HostSummary['namesUnavailable']
  }
  readonly certificates: { list(): HostSummary['certificates'] }
}): HostSummary {
  const { config, names } = options
  const loopback = `127.0.0.1:${options.port}`
  return {
    registries: [loopback, ...socketsOf(config.registry)],
    controlPlane: [loopback, ...socketsOf(config.controlPlane)],
    names: names.sockets,
    ...(names.unavailable && { namesUnavailable: names.unavailable }),
    health: [loopback, ...socketsOf(config.health)],
    certificates: options.certificates.list(),
  }
}
