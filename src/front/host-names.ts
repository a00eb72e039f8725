import type { Reach } from '../lib/origin.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'

/** What a name leads to on a listener of the host. */
export type HostName =
  | { readonly to: 'control' }
  /** `host` is the registry's own name; `domain` where the client wrote another. */
  | { readonly to: 'registry'; readonly host: string; readonly domain?: Reach['domain'] }

/** The names of a listener, lower case; undefined for one that is not served. */
export type HostNames = (name: string) => HostName | undefined

const LOCALHOST = 'localhost'
const CONTROL: HostName = { to: 'control' }

export interface HostNamesOptions {
  readonly directory: Pick<RegistryDirectory, 'byHost'>
  readonly registryDomain: string
}

/** Registries by their own names. */
export function registryNames({ directory }: HostNamesOptions): HostNames {
  return (name) => (directory.byHost(name) ? { to: 'registry', host: name } : undefined)
}

/** The control plane by the operator's names for it. */
export function controlNames(hostNames: readonly string[]): HostNames {
  const names = new Set(hostNames)
  return (name) => (names.has(name) ? CONTROL : undefined)
}

/**
 * What goes by loopback: `localhost`, registries by their own names, and the same below `localhost` (RFC 6761), for
 * clients without a resolver that knows better.
 */
export function loopbackNames(options: HostNamesOptions): HostNames {
  const own = registryNames(options)
  const isControl = new Set([LOCALHOST, '127.0.0.1'])
  const domain = { served: options.registryDomain, said: LOCALHOST }
  return (name) => {
    if (isControl.has(name)) return CONTROL
    if (!name.endsWith(`.${LOCALHOST}`)) return own(name)
    const host = `${name.slice(0, -LOCALHOST.length)}${options.registryDomain}`
    return options.directory.byHost(host) && { to: 'registry', host, domain }
  }
}

/** The names of both. */
export const eitherOf =
  (...all: readonly HostNames[]): HostNames =>
  (name) => {
    for (const names of all) {
      const found = names(name)
      if (found) return found
    }
    return undefined
  }
