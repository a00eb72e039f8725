import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { buffer } from 'node:stream/consumers'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface HttpRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Where the name is, whatever it resolves to. */
  readonly address?: string
  /** PEM; the machine's own trust store does not count. */
  readonly ca: string
}

/** One request on a connection of its own. */
export const fetchOverTls = (url: string, options: HttpRequest): Promise<HttpAnswer> =>
  fetchBytes(url, options)

/** The same, for an answer that may be no text. */
export function fetchBytes(
  url: string,
  options: HttpRequest,
): Promise<HttpAnswer & { readonly content: Buffer }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
        ca: options.ca,
        agent: false,
        ...(options.address && {
          lookup: (_name, _options, found) =>
            found(null, [{ address: options.address ?? '', family: 4 }]),
        }),
      },
      async (answer) => {
        const content = await buffer(answer)
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text: content.toString(),
          content,
        })
      },
    )
    outgoing.once('error', reject)
    outgoing.end(options.body)
  })
}
