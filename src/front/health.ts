import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { listen } from './listen.ts'
import { sendJson } from './refusals.ts'

/** Answers probes; says nothing that everybody may not know. */
export interface Health {
  /** Whether the path is one of a probe. */
  isProbe(url: string): boolean
  handle(request: IncomingMessage, response: ServerResponse): void
}

const [ALIVE, READY] = ['/healthz', '/readyz']

const pathOf = (url: string): string => url.split('?')[0] ?? ''

/** `/healthz`: the process answers. `/readyz`: nothing is missing of what it should serve, or 503 with what is. */
export function createHealth(options: { readonly whyNotReady: () => readonly string[] }): Health {
  return {
    isProbe: (url) => [ALIVE, READY].includes(pathOf(url)),
    handle(request, response) {
      response.setHeader('cache-control', 'no-store')
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD')
        return sendJson(response, 405, { status: 'method not allowed' })
      }
      const path = pathOf(request.url ?? '')
      if (path === ALIVE) return sendJson(response, 200, { status: 'alive' })
      if (path !== READY) return sendJson(response, 404, { status: `not ${ALIVE} or ${READY}` })
      const reasons = options.whyNotReady()
      if (reasons.length === 0) return sendJson(response, 200, { status: 'ready' })
      sendJson(response, 503, { status: 'not ready', reasons })
    },
  }
}

const HEAD_MS_MAX = 5000
const HEAD_BYTES_MAX = 8192
const CONNECTIONS_MAX = 64

/** Serves probes, and nothing else, as plain http. @throws CannotStart */
export async function listenForProbes(
  at: { readonly address: string; readonly port: number },
  health: Health,
): Promise<{ close(): Promise<void> }> {
  const server = http.createServer(
    { headersTimeout: HEAD_MS_MAX, requestTimeout: HEAD_MS_MAX, maxHeaderSize: HEAD_BYTES_MAX },
    (request, response) => health.handle(request, response),
  )
  server.maxConnections = CONNECTIONS_MAX
  await listen(server, at, 'mend health.listeners in the configuration file.')
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
