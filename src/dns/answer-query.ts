import type { PlaceId } from '../lib/origin.ts'
import { encodeResponse, encodeTruncated, type Response, UDP_BYTES_MAX } from './encode-response.ts'
import { type ParsedQuery, parseQuery } from './parse-query.ts'
import type { Resolution } from './resolution.ts'
import type { Resolver } from './resolver.ts'

export type Transport = 'udp' | 'tcp'

/** The bytes to send back, and what was resolved for them where it came to that. */
export interface AnsweredQuery {
  readonly response: Buffer
  readonly resolution?: Resolution
}

const CLASS_IN = 1
const TYPE_OPT = 41
const TYPE_IXFR = 251
const TYPE_AXFR = 252
// TKEY to MAILA: questions about the server or the transport, not about a name (RFC 6895 §3.1).
const isMetaType = (code: number) => code >= 249 && code <= 254

/**
 * Answers one DNS message as seen from a place; undefined for what is not to be answered. Pure.
 *
 * @throws RangeError where the answer does not fit any message.
 */
export function answerQuery(
  resolver: Resolver,
  place: PlaceId,
  message: Buffer,
  transport: Transport,
): AnsweredQuery | undefined {
  const query = parseQuery(message)
  if (query.kind === 'noise') return undefined
  if (query.kind === 'unsupported') return failure({ header: query.header, rcode: 'NOTIMP' })
  if (query.kind === 'malformed') return failure({ header: query.header, rcode: 'FORMERR' })

  const { header, question, rawQuestion, edns } = query
  const base = { header, rawQuestion, ...(edns && { edns }) }
  const refusal = refusalOf(query)
  if (refusal) return failure({ ...base, rcode: refusal })

  const resolution = resolver.resolve(place, question)
  const { rcode, authoritative, answers, authority } = resolution
  const bytesMax = transport === 'tcp' ? Number.POSITIVE_INFINITY : udpBytesMax(edns?.udpSize)
  const response = encodeResponse({ ...base, rcode, authoritative, answers, authority }, bytesMax)
  return { response, resolution }
}

/** The largest datagram for a client that offered this much, or nothing at all. */
const udpBytesMax = (offered = 512): number => Math.max(512, Math.min(offered, UDP_BYTES_MAX))

/** SERVFAIL for a message whose answer failed; undefined where there is nothing to answer. */
export const serverFailure = (message: Buffer): Buffer | undefined =>
  withoutAnswer(message, 'SERVFAIL')

/** REFUSED for a message of somebody who may not ask. */
export const refusal = (message: Buffer): Buffer | undefined => withoutAnswer(message, 'REFUSED')

/** An empty answer that sends its client to TCP, where nobody can ask in another's name. */
export function truncated(message: Buffer): Buffer | undefined {
  const query = parseQuery(message)
  if (query.kind !== 'query') return refusal(message)
  const { header, rawQuestion, edns } = query
  return encodeTruncated({ header, rawQuestion, rcode: 'NOERROR', ...(edns && { edns }) })
}

function withoutAnswer(message: Buffer, rcode: Response['rcode']): Buffer | undefined {
  const query = parseQuery(message)
  if (query.kind === 'noise') return undefined
  if (query.kind !== 'query') return failure({ header: query.header, rcode }).response
  const { header, rawQuestion, edns } = query
  return failure({ header, rawQuestion, rcode, ...(edns && { edns }) }).response
}

const failure = (response: Response): AnsweredQuery => ({
  response: encodeResponse(response, UDP_BYTES_MAX),
})

function refusalOf(query: ParsedQuery & { readonly kind: 'query' }): Response['rcode'] | undefined {
  if (query.edns && query.edns.version > 0) return 'BADVERS'
  if (query.typeCode === TYPE_OPT) return 'FORMERR'
  if (query.typeCode === TYPE_AXFR || query.typeCode === TYPE_IXFR) return 'REFUSED'
  if (isMetaType(query.typeCode)) return 'NOTIMP'
  return query.classCode === CLASS_IN ? undefined : 'REFUSED'
}
