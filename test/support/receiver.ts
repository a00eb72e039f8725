import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { startTlsServer } from './tls-server.ts'

/** What came to a receiver. */
export interface Received {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly event: {
    readonly id: string
    readonly action: string
    readonly target?: Readonly<Record<string, unknown>>
  }
}

/** A receiver of webhooks behind TLS on 127.0.0.1. */
export interface Receiver {
  readonly port: number
  /** PEM file of the authority that signed its certificate. */
  readonly authorityFile: string
  readonly received: readonly Received[]
  /** From now on so many requests fail with 503, and all after them succeed. */
  failNext(count: number): void
  close(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-receiver-'))
  const received: Received[] = []
  let failing = 0
  const server = await startTlsServer(async (request, response) => {
    const body = await buffer(request)
    const { url = '', headers } = request
    received.push({ url, headers, body, event: JSON.parse(body.toString()) })
    const status = failing > 0 ? 503 : 200
    failing -= 1
    response.writeHead(status).end(`answered ${status}`)
  })
  const authorityFile = join(folder, 'authority.pem')
  await writeFile(authorityFile, server.authority)
  return {
    port: server.port,
    authorityFile,
    received,
    failNext(count) {
      failing = count
    },
    async close() {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
