import type { PublicNames, PublicRecord } from './public-names.ts'
import type { RecordSet, Zone, ZoneSource } from './zone-source.ts'

/** A zone linked to the places that the test says; only the fields that matter to it need to be given. */
export function zone(
  name: string,
  records: Readonly<Record<string, readonly RecordSet[]>>,
  { redirectsNxDomain = false } = {},
): Zone {
  return {
    id: `/zones/${name}`,
    linkId: `/zones/${name}/links/link`,
    name,
    soa: {
      host: 'azureprivatedns.net',
      email: 'azureprivatedns-host.microsoft.com',
      serialNumber: 1,
      refreshTime: 3600,
      retryTime: 300,
      expireTime: 2419200,
      minimumTtl: 10,
    },
    soaTtl: 3600,
    records: new Map(Object.entries(records)),
    redirectsNxDomain,
  }
}

/** Zones by place; `version` grows when the test says so. */
export function zonesOf(places: Readonly<Record<string, readonly Zone[]>>) {
  const source = {
    places,
    version: 1,
    zonesVisibleFrom: (place: string) => source.places[place] ?? [],
  }
  return source satisfies ZoneSource
}

export const namesOf = (
  records: Readonly<Record<string, readonly PublicRecord[]>>,
): PublicNames => ({ version: 1, lookup: (name) => records[name] })

/** The public side of one registry with a private endpoint, as row D5 of the requirements has it. */
export const REGISTRY_NAMES = namesOf({
  'azurecr.io': [],
  'myregistry.azurecr.io': [
    { type: 'CNAME', ttl: 3600, target: 'myregistry.privatelink.azurecr.io' },
  ],
  'privatelink.azurecr.io': [],
  'myregistry.privatelink.azurecr.io': [{ type: 'CNAME', ttl: 3600, target: 'xxxx.xx.azcr.io' }],
  'xxxx.xx.azcr.io': [{ type: 'CNAME', ttl: 300, target: 'xxxx-xxx-reg.trafficmanager.net' }],
  'xxxx-xxx-reg.trafficmanager.net': [
    { type: 'CNAME', ttl: 300, target: 'xxxx.westeurope.cloudapp.azure.com' },
  ],
  'xxxx.westeurope.cloudapp.azure.com': [{ type: 'A', ttl: 10, address: '20.45.122.144' }],
  'management.azure.com': [{ type: 'A', ttl: 60, address: '20.45.0.1' }],
})
