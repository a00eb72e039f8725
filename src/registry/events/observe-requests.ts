import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { Clock } from '../../lib/clock.ts'
import { takeBytes } from '../../lib/connection-bytes.ts'
import type { Metrics } from '../../lib/metrics.ts'
import { isSampleRegistry } from '../samples/sample-registry.ts'
import { auditEventOf } from './audit-event.ts'
import type { RegistryEvents } from './registry-events.ts'
import { openRecord, type RequestRecord } from './request-record.ts'

/** Follows requests from their head to their end. */
export interface RequestObserver {
  /** Begins the record of a request, and reads it when the request is over. */
  follow(request: IncomingMessage, response: ServerResponse): RequestRecord
}

/** No answer was begun: nginx's number for it. */
const CLIENT_GONE = 499

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']

export function createRequestObserver(options: {
  readonly metrics: Metrics
  readonly events: RegistryEvents
  readonly clock: Clock
}): RequestObserver {
  const { metrics, events, clock } = options
  const open = new Map<RequestRecord, string>()
  metrics.gauge({
    name: 'causeway_registry_active_requests',
    help: 'Requests to registries that are on their way by operation: transfers of blobs among them.',
    label: 'operation',
    read: () => {
      const counts: Record<string, number> = {}
      for (const [record, method] of open) {
        const operation = operationOf(record, method)
        counts[operation] = (counts[operation] ?? 0) + 1
      }
      return counts
    },
  })

  function end(request: IncomingMessage, response: ServerResponse, record: RequestRecord): void {
    open.delete(record)
    const { received, sent } = takeBytes(request.socket)
    metrics.request({
      plane: 'registry',
      operation: operationOf(record, request.method ?? ''),
      status: response.writableFinished ? response.statusCode : undefined,
      seconds: (performance.now() - record.startedMs) / 1000,
      bytesReceived: received,
      bytesSent: sent,
    })
    const { registry } = record
    if (!registry || isSampleRegistry(registry)) return
    const status = response.headersSent ? response.statusCode : CLIENT_GONE
    const event = auditEventOf({ request, registry, record }, status, clock)
    if (event) events.note(event)
  }

  return {
    follow(request, response) {
      const record = openRecord(clock)
      open.set(record, request.method ?? '')
      response.once('close', () => end(request, response, record))
      return record
    },
  }
}

/** `get_manifest`, `put_upload`, …: as many as there are methods and kinds of paths. */
function operationOf({ asked }: RequestRecord, method: string): string {
  const verb = METHODS.includes(method) ? method.toLowerCase() : 'other'
  return `${verb}_${asked?.kind ?? 'unknown'}`
}
