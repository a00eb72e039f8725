import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { buffer } from 'node:stream/consumers'

export interface LoopbackAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A registry on the host, by loopback and basic credentials, on connections that are kept. */
export interface LoopbackRegistry {
  /** @throws where there is no whole answer */
  send(
    method: string,
    path: string,
    body?: Buffer,
    headers?: Readonly<Record<string, string>>,
  ): Promise<LoopbackAnswer>
  close(): void
}

export function loopbackRegistry(options: {
  readonly name: string
  readonly port: number
  /** PEM. */
  readonly ca: string
  readonly admin: { readonly username: string; readonly password: string }
}): LoopbackRegistry {
  const { name, port, ca, admin } = options
  const host = `${name}.localhost`
  const agent = new Agent({ keepAlive: true, ca, servername: host, maxSockets: 16 })
  const authorization = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString('base64')}`
  return {
    send: (method, path, body, headers) =>
      new Promise((resolve, reject) => {
        const outgoing = request(
          {
            agent,
            host: '127.0.0.1',
            port,
            method,
            path,
            headers: {
              host: `${host}:${port}`,
              authorization,
              ...(body && { 'content-length': body.length }),
              ...headers,
            },
          },
          (answer) => {
            buffer(answer).then(
              (content) =>
                resolve({
                  status: answer.statusCode ?? 0,
                  headers: answer.headers,
                  body: content,
                }),
              reject,
            )
          },
        )
        outgoing.once('error', reject)
        outgoing.end(body)
      }),
    close: () => agent.destroy(),
  }
}

export const sha256 = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`
