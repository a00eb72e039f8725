import type { Config } from '../config.ts'
import { createDnsServer } from '../dns/dns-server.ts'
import { createHostResolver } from '../dns/host-resolver.ts'
import { createRcodeTally } from '../dns/rcode-tally.ts'
import { createResolver } from '../dns/resolver.ts'
import type { ZoneSource } from '../dns/zone-source.ts'
import { createHostNameSource } from '../front/host-name-source.ts'
import { createPublicNames } from '../front/public-names.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'
import type { Stores } from './open-stores.ts'

/** The names plane, twice: as places see the world, and as the host answers for its own. */
export function createNames(
  { log, settings }: Stores,
  sources: { readonly zones: ZoneSource; readonly directory: RegistryDirectory },
  config: Config,
  metrics: Metrics,
) {
  const { zones, directory } = sources
  const { registryDomain } = settings
  const names = createPublicNames({ directory, registryDomain })
  const resolver = createResolver({ zones, names })
  const hostNames = createHostNameSource({ directory, registryDomain, addresses: config })
  const hostResolver = createHostResolver(hostNames)
  const tally = createRcodeTally()
  metrics.counter({
    name: 'causeway_dns_responses_total',
    help: 'Answers of the resolvers by response code.',
    label: 'rcode',
    read: tally.read,
  })
  return {
    resolver,
    hostResolver,
    dns: createDnsServer({ resolver, zones, names, log, tally }),
    hostDns: createDnsServer({
      resolver: hostResolver,
      zones: hostNames,
      names: hostNames,
      log,
      tally,
    }),
  }
}
