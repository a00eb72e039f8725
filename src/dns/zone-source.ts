import type { PlaceId } from '../lib/origin.ts'

export interface SoaRecord {
  readonly host: string
  readonly email: string
  readonly serialNumber: number
  readonly refreshTime: number
  readonly retryTime: number
  readonly expireTime: number
  readonly minimumTtl: number
}

export type RecordSetType = 'A' | 'AAAA' | 'CNAME' | 'MX' | 'PTR' | 'SRV' | 'TXT'

/** `values` in the presentation form of the type; for A and AAAA the addresses. TTL in seconds. */
export interface RecordSet {
  readonly type: RecordSetType
  readonly ttl: number
  readonly values: readonly string[]
}

/** A private zone as seen through one link. Names are lower case and without a trailing dot. */
export interface Zone {
  /** ARM id, for the reasons. */
  readonly id: string
  readonly linkId: string
  readonly name: string
  readonly soa: SoaRecord
  readonly soaTtl: number
  /** By relative name, `@` for the apex. An empty set is a name without records. */
  readonly records: ReadonlyMap<string, readonly RecordSet[]>
  /** The link's resolution policy: names it lacks are looked up publicly. */
  readonly redirectsNxDomain: boolean
}

/** What the names plane needs to know of private zones; owned by dns, implemented by providers. In memory, never asks a database. */
export interface ZoneSource {
  zonesVisibleFrom(place: PlaceId): readonly Zone[]
  /** Grows whenever any answer may have changed: caches key on it. */
  readonly version: number
}
