import type { IncomingMessage, ServerResponse } from 'node:http'
import { endAnswer } from '../../lib/end-answer.ts'
import type { RequestRecord } from '../events/request-record.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import { piecesOf } from './body.ts'
import { OciError } from './oci-error.ts'

/** What a client has added to a path. */
export type Query = Pick<URLSearchParams, 'get' | 'getAll' | 'has'>

/** One request on its way through the plane, admitted and with its registry known. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly registry: RegistryFacts
  /** Decoded. */
  readonly path: string
  readonly query: Query
  readonly record: RequestRecord
}

type Answered = Pick<Exchange, 'request' | 'response' | 'record'>
/** A list is sent as a header for each of its texts. */
export type AnswerHeaders = Readonly<Record<string, string | number | readonly string[]>>

/** What every answer says. */
const ALWAYS: readonly string[] = [
  ...['Docker-Distribution-Api-Version', 'registry/2.0'],
  'Access-Control-Expose-Headers',
  'Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id',
]

/**
 * Sets the head of an answer. As one list it goes to Node without being taken apart and put together again.
 *
 * @param length of the body in bytes, where it is known and not among the headers
 */
export function sendHead(
  { response, record }: Pick<Exchange, 'response' | 'record'>,
  status: number,
  headers: AnswerHeaders,
  length?: number,
): void {
  const lines = ALWAYS.concat('x-ms-correlation-request-id', record.correlationId)
  if (length !== undefined) lines.push('Content-Length', String(length))
  for (const name in headers) {
    const value = headers[name]
    if (typeof value === 'object') for (const each of value) lines.push(name, each)
    else lines.push(name, String(value))
  }
  response.writeHead(status, lines)
}

/** Up to here it is cheaper to copy a body behind its head than to send the two side by side; over TLS by half. */
const JOINED_BYTES_MAX = 16 * 1024

/** Answers with bytes, or to a HEAD with what it would have said of them. */
export function sendBytes(
  exchange: Answered,
  status: number,
  bytes: Uint8Array,
  headers: AnswerHeaders,
): void {
  const { request, response } = exchange
  sendHead(exchange, status, headers, bytes.length)
  if (request.method === 'HEAD') endAnswer(response)
  else if (bytes.length > JOINED_BYTES_MAX) endAnswer(response, bytes)
  // Head and body become one text, in the one encoding that keeps every byte.
  else
    endAnswer(
      response,
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'),
      'latin1',
    )
}

/** Answers with a JSON document. */
export function sendJson(
  exchange: Answered,
  status: number,
  body: unknown,
  headers: AnswerHeaders = {},
): void {
  sendBytes(exchange, status, Buffer.from(JSON.stringify(body)), {
    'Content-Type': 'application/json; charset=utf-8',
    ...headers,
  })
}

/** Answers without a body. */
export function sendEmpty(
  exchange: Pick<Exchange, 'response' | 'record'>,
  status: number,
  headers: AnswerHeaders = {},
): void {
  // https://www.rfc-editor.org/rfc/rfc9110#section-8.6: a 204 has none.
  sendHead(exchange, status, headers, status === 204 ? undefined : 0)
  exchange.response.end()
}

/** The whole body, or the error where it is longer than `bytesMax`. */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
  tooLarge: () => Error,
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  for await (const pieces of piecesOf(request)) {
    for (const piece of pieces) size += piece.length
    if (size > bytesMax) throw tooLarge()
    chunks.push(...pieces)
  }
  return Buffer.concat(chunks)
}

const PAGE_LENGTH = 100
const PAGE_LENGTH_MAX = 1000

/** `n`, or the length that stands for none, and `last` of a list. @throws OciError PAGINATION_NUMBER_INVALID */
export function parsePage(
  query: Query,
  length: number = PAGE_LENGTH,
): { readonly n: number; readonly last: string } {
  const text = query.get('n')
  if (text !== null && text !== '' && !/^\d{1,9}$/.test(text)) {
    throw new OciError('PAGINATION_NUMBER_INVALID', { n: text })
  }
  const n = text ? Number(text) : length
  return { n: Math.min(n, PAGE_LENGTH_MAX), last: query.get('last') ?? '' }
}

/** The `Link` to the page after `last`. */
export const nextPage = (
  path: string,
  parameters: Readonly<Record<string, string | number>>,
): Record<string, string> => {
  const query = Object.entries(parameters).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  )
  return { Link: `<${path}?${query.join('&')}>; rel="next"` }
}
