import type { PlaceId } from '../lib/origin.ts'
import type { RecordSetType, SoaRecord } from './zone-source.ts'

/** `name` without a trailing dot (the root is empty), in the case asked; `type` as `typeName` writes it. */
export interface Question {
  readonly name: string
  readonly type: string
}

/** `value` in the presentation form of the type; TTL in seconds. */
export type Answer =
  | {
      readonly name: string
      readonly type: RecordSetType | 'HINFO'
      readonly ttl: number
      readonly value: string
    }
  | {
      readonly name: string
      readonly type: 'SOA'
      readonly ttl: number
      readonly soa: SoaRecord
    }

/**
 * What decided one step of a resolution:
 * `record` and `wildcard` a record set of a private zone; `empty` a name there without records of the type;
 * `missing` a name that a private zone lacks; `redirect` the same where the link looks on publicly;
 * `public`, `public-empty`, `public-missing` the same for the public names that Causeway plays;
 * `unknown` a name of nobody; `loop` too long a chain of aliases;
 * `host`, `host-empty`, `host-missing` the same for the names that the host serves; `foreign` a name that it leaves to others.
 */
export type Rule =
  | 'record'
  | 'wildcard'
  | 'empty'
  | 'missing'
  | 'redirect'
  | 'public'
  | 'public-empty'
  | 'public-missing'
  | 'unknown'
  | 'loop'
  | 'host'
  | 'host-empty'
  | 'host-missing'
  | 'foreign'

export interface Reason {
  /** The view in which the name was looked up. */
  readonly view: PlaceId
  readonly name: string
  readonly rule: Rule
  /** ARM ids; present where a private zone decided. */
  readonly zone?: string
  readonly link?: string
  /** The deciding record set, `A/shop`; present where there was one. */
  readonly recordSet?: string
}

/** The whole answer to a question, and why. NODATA is NOERROR whose last name has no answer. */
export interface Resolution {
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED'
  /** Whether a private zone, or the host itself, holds the name that was asked. */
  readonly authoritative: boolean
  readonly answers: readonly Answer[]
  readonly authority: readonly Answer[]
  /** In the order in which the names were looked up. */
  readonly reasons: readonly Reason[]
}
