import { MessageWriter } from './message-writer.ts'
import type { QueryHeader } from './parse-query.ts'
import { typeCode } from './record-types.ts'
import type { Answer } from './resolution.ts'

const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const

export interface Response {
  readonly header: QueryHeader
  readonly rcode: keyof typeof RCODES
  readonly authoritative?: boolean
  /** The question section as it was sent; absent where it could not be read. */
  readonly rawQuestion?: Buffer
  readonly answers?: readonly Answer[]
  readonly authority?: readonly Answer[]
  /** Present where the client sent EDNS. */
  readonly edns?: { readonly dnssecOk: boolean }
}

/** What we take, and send at most, in one datagram: the DNS Flag Day 2020 figure that no path fragments. */
export const UDP_BYTES_MAX = 1232

const TRUNCATED = 0x0200

/**
 * Writes a DNS message, names compressed. One longer than `bytesMax` is cut to its question with TC set, so that the
 * client comes again by TCP.
 *
 * @throws RangeError where even TCP's 65535 bytes do not hold the answer.
 */
export function encodeResponse(response: Response, bytesMax: number): Buffer {
  const whole = write(response, 0)
  if (whole.length <= bytesMax) return whole
  return encodeTruncated(response)
}

/** The question alone, with TC set. */
export function encodeTruncated(response: Response): Buffer {
  const { answers: _answers, authority: _authority, ...bare } = response
  return write(bare, TRUNCATED)
}

function write(response: Response, flags: number): Buffer {
  const { header, rawQuestion, answers = [], authority = [], edns } = response
  const rcode = RCODES[response.rcode]
  const out = new MessageWriter()
  out.u16(header.id)
  out.u16(
    0x8080 |
      (header.opcode << 11) |
      (response.authoritative ? 0x0400 : 0) |
      flags |
      (header.recursionDesired ? 0x0100 : 0) |
      (header.checkingDisabled ? 0x0010 : 0) |
      (rcode & 0xf),
  )
  out.u16(rawQuestion ? 1 : 0)
  out.u16(answers.length)
  out.u16(authority.length)
  out.u16(edns ? 1 : 0)
  if (rawQuestion) out.question(rawQuestion)
  for (const record of [...answers, ...authority]) writeRecord(out, record)
  if (edns) {
    out.bytes([0, 0, 41])
    out.u16(UDP_BYTES_MAX)
    out.bytes([rcode >> 4, 0, edns.dnssecOk ? 0x80 : 0, 0, 0, 0])
  }
  return out.finish()
}

function writeRecord(out: MessageWriter, record: Answer): void {
  out.name(record.name)
  out.u16(typeCode(record.type))
  out.u16(1)
  out.u32(record.ttl)
  const lengthAt = out.u16(0)
  writeData(out, record)
  out.patchU16(lengthAt, out.length - lengthAt - 2)
}

function writeData(out: MessageWriter, record: Answer): void {
  if (record.type === 'SOA') {
    const { soa } = record
    out.name(soa.host)
    out.name(soa.email)
    for (const number of [soa.serialNumber, soa.refreshTime, soa.retryTime]) out.u32(number)
    for (const number of [soa.expireTime, soa.minimumTtl]) out.u32(number)
    return
  }
  const { type, value } = record
  switch (type) {
    case 'A':
      out.bytes(value.split('.').map(Number))
      break
    case 'AAAA':
      out.bytes(ipv6Bytes(value))
      break
    case 'CNAME':
    case 'PTR':
      out.name(value)
      break
    case 'TXT':
    case 'HINFO':
      writeStrings(out, value)
      break
    case 'MX':
    case 'SRV':
      writeNumbersAndTarget(out, type, value.split(' '))
  }
}

function writeNumbersAndTarget(
  out: MessageWriter,
  type: 'MX' | 'SRV',
  words: readonly string[],
): void {
  for (const word of words.slice(0, -1)) out.u16(Number(word))
  const target = words.at(-1) ?? ''
  // RFC 2782 forbids to compress an SRV target; RFC 1035 lets an MX exchange be.
  if (type === 'SRV') out.plainName(target)
  else out.name(target)
}

function writeStrings(out: MessageWriter, presentation: string): void {
  for (const [, quoted = ''] of presentation.matchAll(/"((?:[^"\\]|\\.)*)"/gs)) {
    const bytes = Buffer.from(quoted.replace(/\\(.)/gs, '$1'))
    for (let at = 0; at === 0 || at < bytes.length; at += 255) {
      const part = bytes.subarray(at, at + 255)
      out.bytes([part.length, ...part])
    }
  }
}

function ipv6Bytes(address: string): readonly number[] {
  // The last 32 bits may be written as IPv4: `::ffff:10.0.0.1`.
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [a * 256 + Number(b), c * 256 + Number(d)].map((word) => word.toString(16)).join(':'),
  )
  const [head = '', tail] = text.split('::')
  const words = (part: string) => part.split(':').filter((word) => word !== '')
  const [left, right] = [words(head), words(tail ?? '')]
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].flatMap((word) => {
    const number = Number.parseInt(word, 16)
    return [number >> 8, number & 0xff]
  })
}
