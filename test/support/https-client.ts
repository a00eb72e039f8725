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
  readonly body?: string
  /** PEM; the machine's own trust store does not count. */
  readonly ca: string
}

/** One request on a connection of its own. */
export function fetchOverTls(url: string, options: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
        ca: options.ca,
        agent: false,
      },
      async (answer) => {
        const content = await buffer(answer)
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text: content.toString(),
        })
      },
    )
    outgoing.once('error', reject)
    outgoing.end(options.body)
  })
}
