import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { takeBytes } from '../lib/connection-bytes.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Plane, Planes } from './cloud-names.ts'

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']

/** The planes with their requests counted; the registry counts its own, whose operations it knows. */
export function measuredPlanes(planes: Planes, metrics: Pick<Metrics, 'request'>): Planes {
  const measured = (plane: Plane) => (request: IncomingMessage, response: ServerResponse) => {
    const startedAt = performance.now()
    const { socket, method = '' } = request
    response.once('close', () => {
      const { received, sent } = takeBytes(socket)
      metrics.request({
        plane,
        operation: METHODS.includes(method) ? method.toLowerCase() : 'other',
        status: response.writableFinished ? response.statusCode : undefined,
        seconds: (performance.now() - startedAt) / 1000,
        bytesReceived: received,
        bytesSent: sent,
      })
    })
    planes[plane](request, response)
  }
  return {
    control: measured('control'),
    authority: measured('authority'),
    graph: measured('graph'),
    registry: planes.registry,
  }
}
