import { typeName } from './record-types.ts'
import type { Question } from './resolution.ts'

/** The parts of a DNS header that matter to an answer. */
export interface QueryHeader {
  readonly id: number
  readonly opcode: number
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
}

export interface Edns {
  readonly version: number
  /** What the client can take in one datagram. */
  readonly udpSize: number
  readonly dnssecOk: boolean
}

/** What arrived: a query, something that is a question but not a good one, or noise that is not to be answered. */
export type ParsedQuery =
  | {
      readonly kind: 'query'
      readonly header: QueryHeader
      readonly question: Question
      readonly typeCode: number
      readonly classCode: number
      /** The question section as sent, to be echoed byte for byte: clients compare it, case included. */
      readonly rawQuestion: Buffer
      readonly edns?: Edns
    }
  | { readonly kind: 'malformed'; readonly header: QueryHeader }
  | { readonly kind: 'unsupported'; readonly header: QueryHeader }
  | { readonly kind: 'noise' }

export const HEADER_BYTES = 12
const NAME_BYTES_MAX = 255
const TYPE_OPT = 41

/** Reads a DNS message that a client sent. Never throws. */
export function parseQuery(message: Buffer): ParsedQuery {
  // Answering an answer would let two servers talk to each other for ever.
  if (message.length < HEADER_BYTES || (message.readUInt8(2) & 0x80) !== 0) return { kind: 'noise' }
  const flags = message.readUInt16BE(2)
  const header: QueryHeader = {
    id: message.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & 0x0100) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
  }
  if (header.opcode !== 0) return { kind: 'unsupported', header }
  if (message.readUInt16BE(4) !== 1) return { kind: 'malformed', header }
  try {
    return { kind: 'query', header, ...readQuestion(message), ...readEdns(message) }
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'malformed', header }
    throw error
  }
}

/** @throws RangeError where the message ends too early or breaks a rule. */
function readQuestion(message: Buffer) {
  const { labels, end } = readLabels(message, HEADER_BYTES)
  const typeCode = message.readUInt16BE(end)
  return {
    question: { name: labels.join('.'), type: typeName(typeCode) },
    typeCode,
    classCode: message.readUInt16BE(end + 2),
    rawQuestion: message.subarray(HEADER_BYTES, end + 4),
  }
}

/** @throws RangeError */
function readLabels(message: Buffer, start: number) {
  const labels: string[] = []
  let at = start
  for (;;) {
    const length = message.readUInt8(at)
    at += 1
    if (length === 0) return { labels, end: at }
    // A question has nothing before it that a compression pointer could point at.
    if (length > 63 || at + length - start >= NAME_BYTES_MAX || at + length > message.length) {
      throw new RangeError('a bad label')
    }
    labels.push(escapeLabel(message.toString('latin1', at, at + length)))
    at += length
  }
}

// A dot within a label is not a separator; escaped, it matches no name that exists.
const escapeLabel = (label: string): string => label.replace(/[.\\]/g, '\\$&')

/** @throws RangeError */
function readEdns(message: Buffer): { edns?: Edns } {
  const skipped = message.readUInt16BE(6) + message.readUInt16BE(8)
  const count = skipped + message.readUInt16BE(10)
  let at = readLabels(message, HEADER_BYTES).end + 4
  let edns: Edns | undefined
  for (let index = 0; index < count; index += 1) {
    const isRoot = message.readUInt8(at) === 0
    at = skipName(message, at)
    const type = message.readUInt16BE(at)
    if (index >= skipped && type === TYPE_OPT) {
      // RFC 6891 §6.1.1: one OPT at most, owned by the root.
      if (edns || !isRoot) throw new RangeError('a bad OPT')
      edns = {
        udpSize: message.readUInt16BE(at + 2),
        version: message.readUInt8(at + 5),
        dnssecOk: (message.readUInt8(at + 6) & 0x80) !== 0,
      }
    }
    at += 10 + message.readUInt16BE(at + 8)
    if (at > message.length) throw new RangeError('a record beyond the end')
  }
  return edns ? { edns } : {}
}

/** @throws RangeError */
function skipName(message: Buffer, start: number): number {
  let at = start
  for (;;) {
    const length = message.readUInt8(at)
    if (length >= 0xc0) return at + 2
    if (length > 63) throw new RangeError('a bad label')
    at += 1 + length
    if (length === 0) return at
  }
}
