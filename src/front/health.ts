import type { IncomingMessage, ServerResponse } from 'node:http'
import { endAnswer } from '../lib/end-answer.ts'
import { http } from '../lib/http.ts'
import { listen } from './listen.ts'
import { sendJson } from './refusals.ts'

/** Answers probes and Prometheus; says nothing that everybody may not know. */
export interface Health {
  /** Whether the path is one of a probe, or of the metrics. */
  isProbe(url: string): boolean
  handle(request: IncomingMessage, response: ServerResponse): void
}

export interface HealthOptions {
  readonly whyNotReady: () => readonly string[]
  readonly metrics: { readonly contentType: string; text(): Promise<string> }
}

const [ALIVE, READY, METRICS] = ['/healthz', '/readyz', '/metrics']

const pathOf = (url: string): string => url.split('?')[0] ?? ''

/**
 * `/healthz`: the process answers. `/readyz`: nothing is missing of what it should serve, or 503 with what is.
 * `/metrics`: numbers about all of it.
 */
export function createHealth({ whyNotReady, metrics }: HealthOptions): Health {
  async function sendMetrics({ method }: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = Buffer.from(await metrics.text())
    response.writeHead(200, {
      'content-type': metrics.contentType,
      'content-length': bytes.length,
    })
    endAnswer(response, method === 'HEAD' ? bytes.subarray(0, 0) : bytes)
  }

  return {
    isProbe: (url) => [ALIVE, READY, METRICS].includes(pathOf(url)),
    handle(request, response) {
      response.setHeader('cache-control', 'no-store')
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD')
        return sendJson(response, 405, { status: 'method not allowed' })
      }
      const path = pathOf(request.url ?? '')
      if (path === ALIVE) return sendJson(response, 200, { status: 'alive' })
      if (path === METRICS) {
        sendMetrics(request, response).catch(() => {
          if (!response.headersSent) sendJson(response, 500, { status: 'the metrics failed' })
          else response.destroy()
        })
        return
      }
      if (path !== READY) {
        return sendJson(response, 404, { status: `not ${ALIVE}, ${READY} or ${METRICS}` })
      }
      const reasons = whyNotReady()
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
