import type { IncomingHttpHeaders } from 'node:http'
import { EgressError } from '../lib/egress-error.ts'
import { http } from '../lib/http.ts'
import { SIGNATURE_HEADER, signatureOf } from './signature.ts'
import type { Callback } from './webhook-source.ts'

/** What the queue needs of the world beyond this machine. */
export interface Outward {
  /** @throws EgressError */
  fetch(request: {
    readonly url: string
    readonly method: 'POST'
    readonly headers: Readonly<Record<string, string>>
    readonly body: Uint8Array
    readonly who: string
    readonly what: string
    readonly bytesMax: number
    readonly timeoutSeconds: number
    readonly redirectsMax: number
    readonly signal: AbortSignal
  }): Promise<{
    readonly status: number
    readonly headers: IncomingHttpHeaders
    readonly body: AsyncIterable<Uint8Array>
    discard(): void
  }>
}

/** What was sent, but for its content; secrets are not in it. */
export interface SentRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly method: 'POST'
  readonly requestUri: string
  readonly version: string
}

/** What came back, or why nothing did. */
export interface ReceivedResponse {
  readonly content?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly reasonPhrase?: string
  readonly statusCode?: string
  readonly version?: string
}

export interface Told {
  readonly isAccepted: boolean
  readonly request: SentRequest
  readonly response: ReceivedResponse
}

const TIMEOUT_SECONDS = 30
/** Of an answer, for those who look for what went wrong. */
const CONTENT_BYTES_KEPT = 4096
const VERSION = '1.1'
const HIDDEN = '******'

/**
 * Sends an event once. Redirects are not followed: custom headers are for the address that was named.
 *
 * @throws what `signal` was aborted with
 */
export async function tell(
  outward: Outward,
  { serviceUri, customHeaders, signingSecret }: Callback,
  { content, who, signal }: { content: string; who: string; signal: AbortSignal },
): Promise<Told> {
  const body = Buffer.from(content)
  const own = {
    'content-length': String(body.length),
    [SIGNATURE_HEADER]: signatureOf(signingSecret, body),
  }
  const custom = Object.entries(customHeaders).map(([name, value]) => [name.toLowerCase(), value])
  const type = { 'content-type': 'application/json; charset=utf-8' }
  const request: SentRequest = {
    headers: {
      ...type,
      ...Object.fromEntries(custom.map(([name]) => [name, HIDDEN])),
      ...own,
    },
    method: 'POST',
    requestUri: serviceUri,
    version: VERSION,
  }
  try {
    const answer = await outward.fetch({
      url: serviceUri,
      method: 'POST',
      headers: { ...type, ...Object.fromEntries(custom), ...own },
      body,
      who,
      what: 'webhook',
      bytesMax: Number.MAX_SAFE_INTEGER,
      timeoutSeconds: TIMEOUT_SECONDS,
      redirectsMax: 0,
      signal,
    })
    const text = await beginningOf(answer)
    const { status, headers } = answer
    return {
      isAccepted: status >= 200 && status < 300,
      request,
      response: {
        ...(text !== '' && { content: text }),
        headers: flat(headers),
        reasonPhrase: http.STATUS_CODES[status] ?? '',
        statusCode: String(status),
        version: VERSION,
      },
    }
  } catch (error) {
    if (!(error instanceof EgressError)) throw error
    if (error.kind === 'cancelled') throw signal.reason
    return { isAccepted: false, request, response: { reasonPhrase: error.message } }
  }
}

/** The status has come; that the rest does not is nobody's loss. */
async function beginningOf(answer: Awaited<ReturnType<Outward['fetch']>>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= CONTENT_BYTES_KEPT) break
    }
  } catch (error) {
    if (!(error instanceof EgressError) || error.kind === 'cancelled') throw error
  }
  answer.discard()
  return Buffer.concat(chunks).subarray(0, CONTENT_BYTES_KEPT).toString()
}

const flat = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]),
  )
