import { parseResourceId } from '../../arm/resource-id.ts'
import type { Resource } from '../../arm/resource-type.ts'
import type { RecordSet, SoaRecord, Zone } from '../../dns/zone-source.ts'
import { withoutFinalDot } from './names.ts'
import { RECORD_KINDS } from './record-kind.ts'

/** A zone's id and its record sets, its SOA among them, by the lower-case id of each. */
export interface ZoneContent {
  readonly id: string
  readonly sets: Map<string, Resource>
}

/** What resolution needs of a zone, the same through every link; undefined for a zone without its SOA. */
export function createZoneSnapshot(
  zone: ZoneContent,
): Omit<Zone, 'linkId' | 'redirectsNxDomain'> | undefined {
  let soa: Resource | undefined
  const records = new Map<string, RecordSet[]>()
  for (const set of zone.sets.values()) {
    const recordType = set.type.slice(set.type.lastIndexOf('/') + 1)
    if (recordType === 'SOA') {
      soa = set
      continue
    }
    const kind = RECORD_KINDS.find(({ type }) => type === recordType)
    if (!kind) continue
    const name = set.name.toLowerCase()
    const here = records.get(name) ?? []
    here.push({ type: kind.type, ttl: ttlOf(set), values: kind.values(set.properties) })
    records.set(name, here)
  }
  if (!soa) return undefined
  const { soaRecord } = soa.properties as { readonly soaRecord: SoaRecord }
  return {
    id: zone.id,
    name: (parseResourceId(zone.id)?.name ?? '').toLowerCase(),
    soa: {
      ...soaRecord,
      host: withoutFinalDot(soaRecord.host),
      email: withoutFinalDot(soaRecord.email),
    },
    soaTtl: ttlOf(soa),
    records,
  }
}

const ttlOf = (set: Resource): number => Number(set.properties.ttl)
