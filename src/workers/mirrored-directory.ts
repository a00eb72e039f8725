import { destinationsOf } from '../registry/registry-destinations.ts'
import type { RegistryDirectory, RegistryFacts } from '../registry/registry-directory.ts'
import type { Mirror } from './mirror.ts'
import { TABLES } from './worker-contract.ts'

/** The registries as the server knows them. */
export function createMirroredDirectory(mirror: Mirror): RegistryDirectory {
  const registries = mirror.table<RegistryFacts>(TABLES.registries)
  let byHost = destinationsOf(registries.values())
  let version = 0
  mirror.watch(TABLES.registries, () => {
    byHost = destinationsOf(registries.values())
    version += 1
  })
  return {
    byHost: (host) => byHost.get(host.toLowerCase()),
    byId: (id) => registries.get(id.toLowerCase()),
    list: () => [...registries.values()],
    get version() {
      return version
    },
  }
}
