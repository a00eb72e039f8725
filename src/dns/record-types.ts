/** Type codes of what Causeway's names can hold, and of the few questions it treats specially. */
const CODES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
} as const satisfies Record<string, number>

type KnownType = keyof typeof CODES

const NAMES = new Map<number, string>(Object.entries(CODES).map(([name, code]) => [code, name]))

/** `A`, `AAAA`, …; `TYPE65` (RFC 3597) for a type without a name here. */
export const typeName = (code: number): string => NAMES.get(code) ?? `TYPE${code}`

export const typeCode = (type: KnownType): number => CODES[type]
