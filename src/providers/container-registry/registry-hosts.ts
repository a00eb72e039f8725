import type { Context, PrivateLinkGroup, Resource } from '../../arm/resource-type.ts'
import { REPLICATION } from './registry-properties.ts'

/** The host name that clients sign in to. */
export const loginServerOf = (registryName: string, domain: string): string =>
  `${registryName}.${domain}`.toLowerCase()

/** Whether a host (port or not) is Causeway's to answer for, whether or not there is a registry of that name. */
export function isOwnHost(host: string, domain: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '')
  return name === domain || name.endsWith(`.${domain}`)
}

/** The host name that serves the blobs of one region. */
export const dataEndpointOf = (registryName: string, region: string, domain: string): string =>
  `${registryName}.${region}.data.${domain}`.toLowerCase()

/** Where a registry is, home included, in the alphabetical order that the service lists it in. */
export function regionsOf(
  registry: Pick<Resource, 'location'>,
  replications: readonly Pick<Resource, 'location'>[],
): readonly string[] {
  const locations = [registry, ...replications].flatMap(({ location }) => location ?? [])
  return [...new Set(locations)].sort()
}

/**
 * What a private endpoint may connect to in a registry: one group, a member for each data endpoint and the login
 * server last, which is the order in which the service hands out addresses.
 */
export async function privateLinkGroupOf(
  registry: Pick<Resource, 'id' | 'name' | 'location'>,
  context: Context,
): Promise<PrivateLinkGroup> {
  const domain = context.settings.registryDomain
  const replications = await context.children(registry.id, REPLICATION)
  const dataMembers = regionsOf(registry, replications).map((region) => ({
    name: `registry_data_${region}`,
    fqdn: dataEndpointOf(registry.name, region, domain),
  }))
  return {
    groupId: 'registry',
    members: [...dataMembers, { name: 'registry', fqdn: loginServerOf(registry.name, domain) }],
    zoneNames: [`privatelink.${domain}`],
  }
}
