import type { AuditTrail } from '../audit/create-audit-trail.ts'
import { compileCacheFolder } from '../cli/compile-cache.js'
import { type Config, inheritedEnvironment } from '../config.ts'
import type { Planes } from '../front/cloud-names.ts'
import { refuseMisdirected } from '../front/refusals.ts'
import type { ServeTls } from '../front/served-at.ts'
import type { Closing } from '../lib/closing.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { ExposedMetrics } from '../metrics/create-metrics.ts'
import { createMirrorSource, type Table } from '../workers/mirror.ts'
import { shareTls } from '../workers/share-tls.ts'
import { withGaugesOf } from '../workers/shared-gauges.ts'
import type {
  EventFunctions,
  OfferedRegistry,
  PeopleFunctions,
  TABLES,
} from '../workers/worker-contract.ts'
import { createWorkerPool, type WorkerStatus } from '../workers/worker-pool.ts'
import { startWorkerProcess } from '../workers/worker-process.ts'
import type { PrincipalsAtWork } from './open-principals.ts'
import type { Stores } from './open-stores.ts'

export interface Workers {
  /** The stores, where what is done to uploads is done in all processes. */
  readonly stores: Stores
  /** By whom https is served, and by which planes here. */
  readonly serving: (planes: Planes) => { readonly planes: Planes; readonly serveTls?: ServeTls }
  /** The metrics of the registry plane, those of all processes together. */
  readonly shared: (metrics: Metrics) => Metrics
  /** Has them begin, and follow from then on. @throws CannotStart */
  begin(
    who: PrincipalsAtWork,
    served: {
      readonly offered: OfferedRegistry
      readonly known: Readonly<Record<keyof typeof TABLES, Table>>
    },
    /** Who is told of the requests that they serve. */
    told: {
      readonly metrics: Pick<ExposedMetrics, 'requests'>
      readonly trail: Pick<AuditTrail, 'keep'>
    },
  ): Promise<void>
  reopenLog(): Promise<void>
  list(): readonly WorkerStatus[]
}

/** Starts the processes that are to serve the registry plane, if any; they load while this one opens the rest. */
export function openWorkers(stores: Stores, config: Config, closing: Closing): Workers {
  const { folder, keys, log, settings, feed, blobs, reopenLog } = stores
  if (config.workers === 0) {
    return {
      stores,
      serving: (planes) => ({ planes }),
      shared: (metrics) => metrics,
      begin: async () => {},
      reopenLog: async () => reopenLog(),
      list: () => [],
    }
  }
  // From the first file on: what compiles TypeScript takes more memory than all the rest of a worker.
  const compiled = compileCacheFolder()
  const environment = {
    ...inheritedEnvironment(),
    ...(compiled !== undefined && { NODE_COMPILE_CACHE: compiled }),
  }
  const start = () => startWorkerProcess(environment)
  const pool = createWorkerPool(config.workers, { log, start })
  closing.add(() => pool.close())
  return {
    stores: {
      ...stores,
      blobs: {
        ...blobs,
        async discardUploads(registry) {
          await pool.tell((worker) => worker.discardUploads(registry))
          await blobs.discardUploads(registry)
        },
      },
    },
    serving: (planes) => ({
      // A connection that begins under another name stays with that: uploads have their owner among the workers.
      planes: {
        ...planes,
        registry: (request, response) => refuseMisdirected(response, request.headers.host),
      },
      serveTls: shareTls(pool),
    }),
    shared: (metrics) =>
      withGaugesOf((name) => pool.ask((worker) => worker.readGauge(name)), metrics),
    async begin({ authenticator, isAwake }, { offered, known }, { metrics, trail }) {
      const mirror = createMirrorSource(known)
      const people: PeopleFunctions = {
        verifyAccessToken: (token) => authenticator.byToken(token, ['arm', 'registry']),
        authenticate: authenticator.bySecret,
        isAwake: async (owner) => isAwake(owner),
      }
      const events: EventFunctions = {
        async receive({ requests, events }) {
          metrics.requests(requests)
          events.forEach(trail.keep)
        },
      }
      // Before the audit trail closes, which is older; connections have ended by then.
      closing.add(() => pool.tell((worker) => worker.flushEvents()))
      feed.subscribe(async () => {
        const changes = mirror.changes()
        if (changes.length > 0) await pool.tell((worker) => worker.follow(changes))
      })
      // What those begin with is no change to them.
      mirror.changes()
      await pool.begin({
        objects: { people, events, ...offered },
        startOf: (place) => ({
          ...place,
          database: folder.database,
          blobs: folder.blobs,
          replicas: folder.replicas,
          run: folder.run,
          logFile: folder.logFile,
          logLevel: config.logLevel,
          tenantId: settings.tenantId,
          recheckSeconds: config.cache.recheckSeconds,
          registryDomain: settings.registryDomain,
          hostNames: config.controlPlane.hostNames,
          secrets: { tokenKey: keys.tokenKey, urlKey: keys.urlKey },
          tables: mirror.all(),
        }),
      })
    },
    async reopenLog() {
      reopenLog()
      await pool.tell((worker) => worker.reopenLog())
    },
    list: pool.list,
  }
}
