import type { IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import { buffer } from 'node:stream/consumers'

export interface KeptAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

/** A client that stays on one connection for as long as the server lets it. */
export interface KeptConnection {
  send(
    method: string,
    path: string,
    options?: {
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: Buffer | string | AsyncIterable<Buffer>
    },
  ): Promise<KeptAnswer>
  /** How many connections it has needed so far. */
  connections(): number
  close(): void
}

/**
 * A client of a server on loopback that goes by the name in `url`, whether or not a resolver knows it. Certificates are
 * checked by `ca`, PEM, alone; `headers` go with every request.
 */
export function keepConnection(
  url: string,
  ca: string,
  headers: Readonly<Record<string, string>> = {},
): KeptConnection {
  const { hostname, host, port } = new URL(url)
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca, servername: hostname })
  let connections = 0
  return {
    send: (method, path, options = {}) =>
      new Promise((resolve, reject) => {
        const { body } = options
        const isStream = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)
        const request = https.request(
          {
            host: '127.0.0.1',
            port,
            path,
            method,
            agent,
            headers: {
              host,
              ...headers,
              ...(body !== undefined && !isStream && { 'content-length': Buffer.byteLength(body) }),
              ...options.headers,
            },
          },
          (answer) => {
            buffer(answer).then((content) => {
              const { statusCode: status = 0, headers: answered } = answer
              resolve({ status, headers: answered, body: content, text: content.toString() })
            }, reject)
          },
        )
        request.once('socket', () => {
          if (!request.reusedSocket) connections += 1
        })
        request.once('error', reject)
        if (isStream) void writeAll(request, body).catch(() => request.destroy())
        else request.end(body)
      }),
    connections: () => connections,
    close: () => agent.destroy(),
  }
}

async function writeAll(
  request: ReturnType<typeof https.request>,
  body: AsyncIterable<Buffer>,
): Promise<void> {
  for await (const chunk of body) {
    await new Promise<void>((resolve, reject) => {
      request.write(chunk, (error) => (error ? reject(error) : resolve()))
    })
  }
  request.end()
}
