import { readOnly } from '../../arm/marks.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { NAME_PATTERN } from './resource-name.ts'

export const ZONE_GROUPS = 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups'
export const PRIVATE_DNS_ZONES = 'Microsoft.Network/privateDnsZones'

/** The service's limit: https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration */
const ZONES_MAX = 5

const zoneConfig = Type.Object({
  name: Type.String({ pattern: NAME_PATTERN }),
  properties: Type.Object({ privateDnsZoneId: Type.String() }),
})

/** A record set that the group keeps in a zone. */
const zoneRecord = Type.Object({
  zoneId: Type.String(),
  /** Relative to the zone. */
  name: Type.String(),
  address: Type.String(),
})

export const zoneGroupProperties = Type.Object({
  privateDnsZoneConfigs: Type.Array(zoneConfig, { default: [], maxItems: ZONES_MAX }),
  /** What it last wrote; what a client sees of it stands with each zone. */
  records: Type.Optional(readOnly(Type.Array(zoneRecord))),
})

export type ZoneGroupProperties = Static<typeof zoneGroupProperties>
export type ZoneRecord = Static<typeof zoneRecord>
