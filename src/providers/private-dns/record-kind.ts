import { isIPv4, isIPv6 } from 'node:net'
import type { RecordSetType } from '../../dns/zone-source.ts'
import { type Static, type TSchema, Type } from '../../lib/schema.ts'
import { isDomainName, withoutFinalDot } from './names.ts'

/** One type of record set: where its records stand in the properties, and what they mean. */
export interface RecordKind {
  readonly type: RecordSetType
  /** `aRecords`, `cnameRecord`, … */
  readonly member: string
  readonly schema: TSchema
  /** The records in the presentation form of DNS; none where the set is empty. */
  values(properties: Readonly<Record<string, unknown>>): readonly string[]
  /** What is wrong with the records, in the service's words; undefined where nothing is. */
  findFault(properties: Readonly<Record<string, unknown>>): string | undefined
}

const uint16 = Type.Integer({ minimum: 0, maximum: 65535 })

/** Every type but SOA, which a zone has exactly once and never loses. */
export const RECORD_KINDS: readonly RecordKind[] = [
  listKind('A', 'aRecords', Type.Object({ ipv4Address: Type.String() }), {
    value: (record) => record.ipv4Address,
    fault: ({ ipv4Address }) => (isIPv4(ipv4Address) ? undefined : badAddress(ipv4Address)),
  }),
  listKind('AAAA', 'aaaaRecords', Type.Object({ ipv6Address: Type.String() }), {
    value: (record) => record.ipv6Address,
    fault: ({ ipv6Address }) =>
      isIPv6(ipv6Address) && !ipv6Address.includes('%') ? undefined : badAddress(ipv6Address),
  }),
  singleKind('CNAME', 'cnameRecord', Type.Object({ cname: Type.String() }), {
    value: (record) => withoutFinalDot(record.cname),
    fault: (record) => findNameFault(record.cname),
  }),
  listKind('MX', 'mxRecords', Type.Object({ preference: uint16, exchange: Type.String() }), {
    value: (record) => `${record.preference} ${withoutFinalDot(record.exchange)}`,
    fault: (record) => findNameFault(record.exchange),
  }),
  listKind('PTR', 'ptrRecords', Type.Object({ ptrdname: Type.String() }), {
    value: (record) => withoutFinalDot(record.ptrdname),
    fault: (record) => findNameFault(record.ptrdname),
  }),
  listKind(
    'SRV',
    'srvRecords',
    Type.Object({ priority: uint16, weight: uint16, port: uint16, target: Type.String() }),
    {
      value: ({ priority, weight, port, target }) =>
        `${priority} ${weight} ${port} ${withoutFinalDot(target)}`,
      fault: (record) => findNameFault(record.target),
    },
  ),
  listKind('TXT', 'txtRecords', Type.Object({ value: Type.Array(Type.String()) }), {
    value: (record) => record.value.map(quoted).join(' '),
    fault: (record) => findTextFault(record.value),
  }),
]

interface Meaning<R> {
  readonly value: (record: R) => string
  readonly fault: (record: R) => string | undefined
}

function listKind<S extends TSchema>(
  type: RecordSetType,
  member: string,
  record: S,
  meaning: Meaning<Static<S>>,
): RecordKind {
  // What is stored went through this very schema.
  const records = (properties: Readonly<Record<string, unknown>>) =>
    (properties[member] ?? []) as readonly Static<S>[]
  return {
    type,
    member,
    schema: Type.Array(record, { default: [] }),
    // DNS has sets, not lists: a record said twice is one (RFC 2181 §5).
    values: (properties) => [...new Set(records(properties).map(meaning.value))],
    findFault: (properties) => first(records(properties), meaning.fault),
  }
}

function singleKind<S extends TSchema>(
  type: RecordSetType,
  member: string,
  record: S,
  meaning: Meaning<Static<S>>,
): RecordKind {
  const records = (properties: Readonly<Record<string, unknown>>) =>
    properties[member] === undefined ? [] : [properties[member] as Static<S>]
  return {
    type,
    member,
    schema: Type.Optional(record),
    values: (properties) => records(properties).map(meaning.value),
    findFault: (properties) => first(records(properties), meaning.fault),
  }
}

function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

const badAddress = (address: string) => `The provided ip address '${address}' is not valid.`

const findNameFault = (name: string) =>
  isDomainName(name) ? undefined : `The domain name '${name}' is invalid.`

const TEXT_BYTES_MAX = 1024

function findTextFault(strings: readonly string[]): string | undefined {
  if (strings.length === 0) return 'A TXT record needs at least one string.'
  const bytes = strings.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return bytes > TEXT_BYTES_MAX
    ? `A TXT record must not be longer than ${TEXT_BYTES_MAX} bytes.`
    : undefined
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
