import type { IncomingMessage, ServerResponse } from 'node:http'
import type net from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { textOf } from './audit/event-text.ts'
import type { Planes } from './front/cloud-names.ts'
import { createFront } from './front/create-front.ts'
import { createHostFront } from './front/host-front.ts'
import { refuseMisdirected } from './front/refusals.ts'
import type { FrontListenerOptions, ServedAt } from './front/served-at.ts'
import { createTlsServer, type TlsServer } from './front/tls-listener.ts'
import { createAuthorizer } from './identity/create-authorizer.ts'
import { createCredentialFinder } from './identity/credential-finder.ts'
import { systemClock as clock } from './lib/clock.ts'
import { NO_METRICS } from './lib/metrics.ts'
import { createCacheReader } from './registry/cache/cache-reader.ts'
import { createContentReader } from './registry/content/content-reader.ts'
import { createDeletedReader } from './registry/content/deleted-reader.ts'
import { createEventForwarder } from './registry/events/forward-events.ts'
import { createRegistryServer } from './registry/registry-server.ts'
import { createNearestRegion } from './registry/replicas/nearest-region.ts'
import { createRegionStores } from './registry/replicas/region-stores.ts'
import { createFileBlobStore } from './storage/file-blob-store.ts'
import { type HeldLock, holdLock } from './storage/hold-lock.ts'
import { openLogFile } from './storage/log-file.ts'
import { openReader } from './storage/open-reader.ts'
import { createReplicaStores } from './storage/replica-stores.ts'
import { REGISTRY_ERRORS } from './workers/errors.ts'
import { createHandedCertificates } from './workers/handed-certificates.ts'
import { createMirror, type Mirror } from './workers/mirror.ts'
import { createMirroredDirectory } from './workers/mirrored-directory.ts'
import { createMirroredRoles } from './workers/mirrored-roles.ts'
import { openPeers } from './workers/peers.ts'
import { createRpc, type Rpc } from './workers/rpc.ts'
import { type KeptGauges, keepGauges } from './workers/shared-gauges.ts'
import { newUploadIdIn, ownerOf, uploadIdOf } from './workers/upload-owner.ts'
import {
  type EventFunctions,
  type HandedConnection,
  type OfferedRegistry,
  type PeopleFunctions,
  TABLES,
  type WorkerFunctions,
  type WorkerMessage,
  type WorkerStart,
} from './workers/worker-contract.ts'

/** What a worker does once it has begun. */
interface Worker {
  /** To be called in the tick in which the socket arrives. */
  accept(socket: net.Socket, connection: HandedConnection): void
  closeListener(listener: number): void
  discardUploads(registry: string): Promise<void>
  flushEvents(): Promise<void>
  readonly readGauge: KeptGauges['read']
  reopenLog(): void
}

/**
 * The composition root of a worker: a process that serves the registry plane on connections that its parent accepts,
 * as the parent tells it, and ends with the parent.
 */
export function serveAsWorker(): void {
  // Whoever ends the server ends it in good order, and its workers with it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(0))
  // A server that is gone is told of by the end of the channel, perhaps while this process still loads.
  const send = (message: object): void =>
    void process.send?.(message, undefined, undefined, () => {})
  const tell = (message: WorkerMessage): void => send(message)
  const rpc = createRpc(
    {
      send,
      onMessage: (listener) => void process.on('message', (message) => listener(message as object)),
      onClose: (listener) => void process.on('disconnect', listener),
    },
    REGISTRY_ERRORS,
  )
  const mirror = createMirror()
  const begun = Promise.withResolvers<Worker>()
  rpc.serve<WorkerFunctions>('worker', {
    async start(start) {
      mirror.apply(start.tables)
      const worker = await compose(start, mirror, rpc)
      process.on('message', (message: WorkerMessage, socket) => {
        if (message.kind !== 'connection') return
        // It has none where the client went while it was on its way.
        if (socket) worker.accept(socket as net.Socket, message)
        tell({ kind: 'taken', id: message.id })
      })
      begun.resolve(worker)
    },
    follow: async (changes) => mirror.apply(changes),
    closeListener: async (listener) => (await begun.promise).closeListener(listener),
    discardUploads: async (registry) => (await begun.promise).discardUploads(registry),
    flushEvents: async () => (await begun.promise).flushEvents(),
    readGauge: async (name) => (await begun.promise).readGauge(name),
    reopenLog: async () => (await begun.promise).reopenLog(),
  })
  tell({ kind: 'loaded' })
}

async function compose(start: WorkerStart, mirror: Mirror, rpc: Rpc): Promise<Worker> {
  const { slot, slots, run, tenantId, registryDomain, hostNames, secrets } = start
  await takeSlot(join(run, `w${slot}.lock`))
  const { log: root, reopen } = openLogFile(start.logFile, start.logLevel)
  const log = root.child({ worker: slot })
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'a worker failed in a way that it did not foresee')
    process.exit(1)
  })

  const reader = openReader(start.database)
  const directory = createMirroredDirectory(mirror)
  const people = rpc.remote<PeopleFunctions>('people')
  const { verifyAccessToken, authenticate, isAwake } = people
  const blobs = await createFileBlobStore(start.blobs, {
    newUploadId: () => newUploadIdIn(start),
    isShared: true,
  })
  const regions = mirror.table<string>(TABLES.regions)
  const { hasten, mend } = rpc.remote<OfferedRegistry['replicas']>('replicas')
  const forwarder = createEventForwarder(rpc.remote<EventFunctions>('events').receive, textOf)
  const gauges = keepGauges()
  const registry = createRegistryServer({
    reader: createContentReader(reader),
    deleted: createDeletedReader(reader),
    writer: rpc.remote<OfferedRegistry['content']>('content'),
    blobs,
    stores: createRegionStores(
      blobs,
      // Kept: what it takes to open a store is no part of a pull.
      createReplicaStores(start.replicas, { isShared: true }).store,
      (region, error) => log.error({ err: error, region }, 'the blobs of a region cannot be read'),
    ),
    nearest: createNearestRegion((place) => regions.get(place)),
    lacks(replica, digest, size) {
      hasten(replica, digest, size).catch((error: unknown) =>
        log.error({ err: error, ...replica, digest }, 'not queued'),
      )
    },
    mend,
    directory,
    identity: {
      verifyAccessToken,
      authenticate,
      byCredential: createCredentialFinder(reader, { clock, isAwake }),
      isAllowed: createAuthorizer(createMirroredRoles(mirror)).isAllowed,
    },
    clock,
    log,
    secrets,
    tenantId,
    upstream: rpc.remote<OfferedRegistry['upstream']>('upstream'),
    cacheReader: createCacheReader(reader),
    recheckSeconds: start.recheckSeconds,
    metrics: { ...NO_METRICS, ...forwarder.metrics, gauge: gauges.gauge },
    events: forwarder.events,
  })
  const peers = await openPeers({ folder: run, slot, handle: registry.handle, log })

  const planes: Planes = {
    registry(request, response) {
      const id = uploadIdOf(request.url ?? '')
      const owner = id === undefined ? slot : ownerOf(id, slots)
      if (owner === slot) registry.handle(request, response)
      else peers.forward(request, response, owner)
    },
    // The server gives away nothing but connections for registries.
    control: refuse,
    authority: refuse,
    graph: refuse,
  }
  const { keep, certificateFor } = createHandedCertificates()
  const common = { certificateFor, directory, planes, log }
  const places = createFront(common)
  const health = { isProbe: () => false, handle: refuse }
  const host = createHostFront({ ...common, registryDomain, hostNames, health })
  const optionsAt = (at: ServedAt): FrontListenerOptions =>
    at.side === 'place' ? places.optionsAt(at.where) : host.optionsAt(at.names)

  const servers = new Map<number, TlsServer>()
  return {
    accept(socket, { listener, at, servername, pem, ticketKeys, head }) {
      keep(servername, pem)
      const server = servers.get(listener) ?? createTlsServer({ ...optionsAt(at), ticketKeys })
      servers.set(listener, server)
      socket.unshift(head)
      server.accept(socket)
    },
    closeListener(listener) {
      servers.get(listener)?.close()
      servers.delete(listener)
    },
    discardUploads: blobs.discardUploads,
    flushEvents: forwarder.flush,
    readGauge: gauges.read,
    reopenLog: reopen,
  }
}

const refuse = (request: IncomingMessage, response: ServerResponse): void =>
  refuseMisdirected(response, request.headers.host)

const SLOT_MS_MAX = 10_000
const SLOT_AGAIN_MS = 20

/**
 * Makes sure that the worker of a server that was here before, which may outlive it by a moment, has ended: two must
 * never write to one upload.
 */
async function takeSlot(file: string): Promise<HeldLock> {
  for (const deadline = Date.now() + SLOT_MS_MAX; ; await delay(SLOT_AGAIN_MS)) {
    const lock = holdLock(file)
    if (lock) return lock
    if (Date.now() > deadline) throw new Error(`another process holds ${file}`)
  }
}
