import type { PublicNames, PublicRecord } from '../dns/public-names.ts'
import type { RegistryDirectory, RegistryFacts } from '../registry/registry-directory.ts'
import { CLOUD_NAMES } from './cloud-names.ts'
import { CLOUD_ADDRESS, publicAddressOf } from './public-addresses.ts'

const REGISTRY_TTL = 3600
const SHARD_TTL = 300
const ADDRESS_TTL = 10
const CLOUD_TTL = 300

type Records = Map<string, readonly PublicRecord[]>

/** The public records of the cloud's names and of every registry, kept up with the directory. */
export function createPublicNames(options: {
  readonly directory: Pick<RegistryDirectory, 'list' | 'version'>
  readonly registryDomain: string
}): PublicNames {
  const { directory, registryDomain } = options
  let builtFor = -1
  let records: Records = new Map()
  return {
    lookup(name) {
      if (builtFor !== directory.version) {
        builtFor = directory.version
        records = buildRecords(directory.list(), registryDomain)
      }
      return records.get(name)
    },
    get version() {
      return directory.version
    },
  }
}

function buildRecords(registries: readonly RegistryFacts[], domain: string): Records {
  const records: Records = new Map()
  for (const name of CLOUD_NAMES.keys()) {
    records.set(name, [{ type: 'A', ttl: CLOUD_TTL, address: CLOUD_ADDRESS }])
  }
  records.set(domain, [])
  for (const registry of registries) {
    addChain(records, registry, registry.loginServer, registry.homeRegion, domain)
    for (const { region, host } of registry.dataEndpoints) {
      addChain(records, registry, host, region, domain)
    }
  }
  // A name with names below it exists, though without records (RFC 8020).
  for (const name of [...records.keys()]) {
    const labels = name.split('.')
    for (let above = 1; above <= labels.length - 2; above++) {
      const ancestor = labels.slice(above).join('.')
      if (!records.has(ancestor)) records.set(ancestor, [])
    }
  }
  return records
}

/** `host` to its shard, to the traffic manager, to the region's front; by the private link name where there is one. */
function addChain(
  records: Records,
  registry: RegistryFacts,
  host: string,
  region: string,
  domain: string,
): void {
  const shard = `s1.${region}.azcr.io`
  const manager = `s1-${region}-reg.trafficmanager.net`
  const front = `s1.${region}.cloudapp.azure.com`
  const alias = (name: string, ttl: number, target: string) =>
    records.set(name, [{ type: 'CNAME', ttl, target }])

  if (registry.isPrivateLinked) {
    const linked = `${host.slice(0, -domain.length)}privatelink.${domain}`
    alias(host, REGISTRY_TTL, linked)
    alias(linked, REGISTRY_TTL, shard)
  } else {
    alias(host, REGISTRY_TTL, shard)
  }
  alias(shard, SHARD_TTL, manager)
  alias(manager, SHARD_TTL, front)
  records.set(front, [{ type: 'A', ttl: ADDRESS_TTL, address: publicAddressOf(region) }])
}
