import type { HostNameSource } from '../dns/host-resolver.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'

interface Listener {
  readonly address: string
}

const LOOPBACK = '127.0.0.1'

/** Where clients find the host's names, by what the operator has said. */
export interface HostAddressBook {
  readonly registry: {
    readonly listeners: readonly Listener[]
    readonly advertisedAddresses: readonly string[]
  }
  readonly controlPlane: {
    readonly listeners: readonly Listener[]
    readonly hostNames: readonly string[]
  }
}

/** The names of registries and of the control plane as the host serves them, kept up with the directory. */
export function createHostNameSource(options: {
  readonly directory: Pick<RegistryDirectory, 'list' | 'version'>
  readonly registryDomain: string
  readonly addresses: HostAddressBook
}): HostNameSource {
  const { directory, registryDomain, addresses } = options
  const { registry, controlPlane } = addresses
  const advertised = registry.advertisedAddresses
  const ofRegistries = advertised.length > 0 ? advertised : addressesOf(registry.listeners)
  const ofControlPlane = addressesOf(controlPlane.listeners)
  let builtFor = -1
  let records = new Map<string, readonly string[]>()

  function build(): Map<string, readonly string[]> {
    const built = new Map(controlPlane.hostNames.map((name) => [name, ofControlPlane] as const))
    built.set(registryDomain, [])
    for (const { loginServer, dataEndpoints } of directory.list()) {
      for (const name of [loginServer, ...dataEndpoints.map(({ host }) => host)]) {
        built.set(name, ofRegistries)
        addAncestors(built, name, registryDomain)
      }
    }
    return built
  }

  return {
    domain: registryDomain,
    addressesOf(name) {
      if (builtFor !== directory.version) {
        builtFor = directory.version
        records = build()
      }
      return records.get(name)
    },
    get version() {
      return directory.version
    },
  }
}

const addressesOf = (listeners: readonly Listener[]): readonly string[] =>
  listeners.length === 0 ? [LOOPBACK] : [...new Set(listeners.map(({ address }) => address))]

// A name with names below it exists, though without records (RFC 8020).
function addAncestors(records: Map<string, readonly string[]>, name: string, domain: string): void {
  const labels = name.slice(0, -domain.length - 1).split('.')
  for (let above = 1; above < labels.length; above++) {
    const ancestor = `${labels.slice(above).join('.')}.${domain}`
    if (!records.has(ancestor)) records.set(ancestor, [])
  }
}
