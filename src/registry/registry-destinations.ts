import type { RegistryDirectory, RegistryFacts } from './registry-directory.ts'

type Destination = ReturnType<RegistryDirectory['byHost']>

/** Where each host name leads. A data endpoint has its name only while the registry sends blobs there; before, it is nobody's. */
export function destinationsOf(
  registries: Iterable<RegistryFacts>,
): ReadonlyMap<string, Destination> {
  const destinations = new Map<string, Destination>()
  for (const registry of registries) {
    destinations.set(registry.loginServer, { registry, role: 'login' })
    if (!registry.redirectsBlobs) continue
    for (const { host, region } of registry.dataEndpoints) {
      destinations.set(host, { registry, role: 'data', region })
    }
  }
  return destinations
}
