import type { IncomingMessage, ServerResponse } from 'node:http'
import { endAnswer } from '../../lib/end-answer.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import { OciError } from './oci-error.ts'

const NOTHING = Buffer.alloc(0)

/** One request on its way through the plane, admitted and with its registry known. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly registry: RegistryFacts
  /** Decoded. */
  readonly path: string
  readonly query: URLSearchParams
}

/** Answers with a JSON document. */
export function sendJson(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': bytes.length,
    ...headers,
  })
  endAnswer(response, request.method === 'HEAD' ? NOTHING : bytes)
}

/** Answers without a body. */
export function sendEmpty(
  { response }: Pick<Exchange, 'response'>,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  // https://www.rfc-editor.org/rfc/rfc9110#section-8.6: a 204 has none.
  response.writeHead(status, status === 204 ? headers : { 'Content-Length': 0, ...headers })
  response.end()
}

/** The body as it comes. Ending early leaves the connection whole, so that the refusal can still be sent. */
export const bodyOf = (request: IncomingMessage): AsyncIterable<Buffer> =>
  request.iterator({ destroyOnReturn: false })

/** The whole body, or the error where it is longer than `bytesMax`. */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
  tooLarge: () => Error,
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bodyOf(request)) {
    size += chunk.length
    if (size > bytesMax) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const PAGE_LENGTH = 100
const PAGE_LENGTH_MAX = 1000

/** `n`, or the length that stands for none, and `last` of a list. @throws OciError PAGINATION_NUMBER_INVALID */
export function parsePage(
  query: URLSearchParams,
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
