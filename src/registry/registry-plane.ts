import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'
import type { Digest } from '../lib/digest.ts'
import { type Metrics, NO_METRICS } from '../lib/metrics.ts'
import { originOf } from '../lib/origin.ts'
import { type BlobStore, isStorageFull } from '../storage/blob-store.ts'
import type { Database } from '../storage/database.ts'
import { admit } from './access/admit.ts'
import { createAuthorizer } from './access/authorize.ts'
import { createCredentials } from './access/credentials.ts'
import { createRegistryTokens } from './access/registry-tokens.ts'
import { createTokenEndpoints } from './access/token-endpoints.ts'
import { createDeletedRoutes } from './acr/deleted-routes.ts'
import { createMetadataRoutes } from './acr/metadata-routes.ts'
import { createBlobRoutes } from './blobs/blob-routes.ts'
import { createBufferPool } from './blobs/buffer-pool.ts'
import { createUrlSigner } from './blobs/signed-url.ts'
import { createUploadRoutes } from './blobs/upload-routes.ts'
import { type CacheReader, createCacheReader } from './cache/cache-reader.ts'
import { isWildcard, isWithin, upstreamOf } from './cache/cache-rule.ts'
import { createCacheWriter } from './cache/cache-writer.ts'
import { completeImage } from './cache/complete-image.ts'
import { type CredentialsOf, createUpstream } from './cache/create-upstream.ts'
import { createPullThrough } from './cache/pull-through.ts'
import type { Upstream } from './cache/upstream.ts'
import { type ContentReader, createContentReader } from './content/content-reader.ts'
import { type ContentWriter, createContentWriter } from './content/content-writer.ts'
import { createDeletedReader, type DeletedReader } from './content/deleted-reader.ts'
import { createChangeTeller } from './content/record-changes.ts'
import { copyImage } from './copy/copy-image.ts'
import type { CopyErrand, ImageCopy, SourceImage } from './copy/image-copy.ts'
import { createImportQueue, type RunningImport } from './copy/import-queue.ts'
import { PAUSES } from './copy/try-again.ts'
import { createRequestObserver } from './events/observe-requests.ts'
import { occasionOfErrand } from './events/occasion.ts'
import {
  type ChangeRecorder,
  NO_EVENTS,
  NO_RECORDER,
  type RegistryEvents,
} from './events/registry-events.ts'
import type { RequestRecord } from './events/request-record.ts'
import { type Exchange, sendJson } from './http/exchange.ts'
import { OciError } from './http/oci-error.ts'
import { decodePath } from './http/oci-path.ts'
import type { RegistryIdentity } from './identity.ts'
import { createListRoutes } from './manifests/list-routes.ts'
import { createManifestRoutes } from './manifests/manifest-routes.ts'
import { createReferrerRoutes } from './manifests/referrer-routes.ts'
import type { Outside } from './outside.ts'
import type { RegistryDirectory, RegistryFacts } from './registry-directory.ts'
import { createNearestRegion, type NearestRegion } from './replicas/nearest-region.ts'
import { createRegionStores, type RegionStores } from './replicas/region-stores.ts'
import { createReplicaQueue, type ReplicaKey, type ReplicaState } from './replicas/replica-queue.ts'
import { createReplicator } from './replicas/replicator.ts'
import { createRoutes } from './routes.ts'
import { SAMPLE_REGISTRY } from './samples/sample-registry.ts'
import { seedSamples } from './samples/seed-samples.ts'

const BUFFER_BYTES = 1 << 20
const BUFFERS_KEPT = 32

/** What it takes to serve requests, in whatever process: content is written where the database is. */
export interface RegistryServerOptions {
  readonly reader: ContentReader
  readonly writer: ContentWriter
  readonly blobs: BlobStore
  readonly stores: RegionStores
  readonly nearest: NearestRegion
  /** Told of what a replica should have by now, and does not. */
  readonly lacks: (replica: ReplicaKey, digest: Digest, size: number) => void
  readonly directory: RegistryDirectory
  readonly identity: RegistryIdentity
  readonly clock: Clock
  readonly log: Pick<Logger, 'info' | 'error'>
  /** Random bytes that survive a restart: one key signs tokens, the other URLs. */
  readonly secrets: { readonly tokenKey: Buffer; readonly urlKey: Buffer }
  readonly tenantId: string
  /** What can be restored. */
  readonly deleted: DeletedReader
  /** What repositories under cache rules lack. */
  readonly upstream: Upstream
  readonly cacheReader: CacheReader
  /** After which a tag that came from elsewhere is looked after again. */
  readonly recheckSeconds: number
  readonly metrics?: Metrics
  /** Who is told of what changed nothing. */
  readonly events?: RegistryEvents
}

/** Where the further regions of registries are. */
export interface ReplicaOptions {
  /** Opens the store of a region's replicas, and makes it where it is not yet: the same one each time. */
  store(region: string): Promise<BlobStore>
  /** The region of the network that a place is made for. */
  regionOf(place: string): string | undefined
}

export interface RegistryServer {
  /** Serves a request whose origin the front has set; its `Host` says which registry. */
  handle(request: IncomingMessage, response: ServerResponse): void
}

export interface RegistryPlaneOptions
  extends Pick<
    RegistryServerOptions,
    | ('blobs' | 'directory' | 'identity' | 'clock' | 'log' | 'secrets' | 'tenantId')
    | ('metrics' | 'events')
  > {
  readonly database: Database
  readonly replicas: ReplicaOptions
  readonly outside: Outside
  readonly cache: {
    /** After which a tag that came from elsewhere is looked after again. */
    readonly recheckSeconds: number
    readonly credentialsOf: CredentialsOf
  }
  /** Between the tries for what fails elsewhere, in milliseconds. */
  readonly pauses?: readonly number[]
  /** Who records changes, in their transaction. */
  readonly recorder?: ChangeRecorder
}

export interface RegistryPlane extends RegistryServer {
  /** Changes what registries hold; for processes that serve requests and have no database to write to. */
  readonly writer: ContentWriter
  /** Fetches from elsewhere, for all processes. */
  readonly upstream: Upstream
  /** Has a replica get a blob before others. */
  hasten(replica: ReplicaKey, digest: Digest, size: number): Promise<void>
  /** @throws ImageCopyError */
  copyImage(copy: ImageCopy, errand: CopyErrand): Promise<void>
  /** Removes all that a registry held. Files of blobs go later, by the garbage collector. */
  forgetRegistry(uid: string): Promise<void>
  /** Forgets every registry but these; cheap where none went since the last call. */
  retain(uids: readonly string[]): Promise<void>
  /** The bytes of all blobs of a registry, each counted once. */
  storedBytes(uid: string): Promise<number>
  /** How far a region is behind; undefined for a home, and for what is no replica. */
  replicaState(replica: ReplicaKey): Promise<ReplicaState | undefined>
  /** Makes replicas be those of the directory, and begins to fill new ones; cheap where nothing has changed. */
  keepReplicas(): Promise<void>
  /** Settles when all that waits for replicas has been tried once. */
  replicated(): Promise<void>
  /** Whether a registry has a repository of this name, or one within `prefix/*` or `*`. */
  hasRepository(uid: string, pattern: string): boolean
  /** Images that come from elsewhere now. */
  runningImports(): readonly RunningImport[]
  /** Puts the sample image into the built-in registry. */
  seed(): Promise<void>
  /** Ends what works by itself, and what is on its way from elsewhere by cache rules. */
  close(): Promise<void>
}

/** Serves the registry plane: who may come in, what was asked for, and the answer or the refusal in its own words. */
export function createRegistryServer(options: RegistryServerOptions): RegistryServer {
  const { reader, writer, blobs, stores, nearest, lacks } = options
  const { deleted, upstream, cacheReader, recheckSeconds } = options
  const { metrics = NO_METRICS, events = NO_EVENTS } = options
  const { directory, identity, clock, log, secrets, tenantId } = options
  const tokens = createRegistryTokens({ key: secrets.tokenKey, clock, tenantId, identity })
  const credentials = createCredentials({ identity, tokens, clock })
  const authorizer = createAuthorizer({ identity, tokens, credentials })
  const signer = createUrlSigner({ key: secrets.urlKey, clock })
  const pool = createBufferPool(BUFFER_BYTES, BUFFERS_KEPT)
  const pullThrough = createPullThrough({
    ...{ upstream, blobs, reader, cacheReader, clock, recheckSeconds },
  })
  const routes = createRoutes({
    authorizer,
    tokenEndpoints: createTokenEndpoints({ identity, tokens, credentials, tenantId }),
    blobs: createBlobRoutes({
      ...{ reader, writer, stores, nearest, lacks, signer, pool, pullThrough },
    }),
    uploads: createUploadRoutes({ reader, writer, blobs, authorizer }),
    manifests: createManifestRoutes({ reader, writer, blobs }),
    referrers: createReferrerRoutes(reader),
    lists: createListRoutes(reader),
    metadata: createMetadataRoutes({ reader, writer }),
    pullThrough,
    deleted: createDeletedRoutes({ deleted, writer }),
  })

  const observer = createRequestObserver({ metrics, events, clock })

  function findHost(request: IncomingMessage) {
    const host = (request.headers.host ?? '').toLowerCase().replace(/:443$/, '')
    if (host === SAMPLE_REGISTRY.loginServer) {
      return { host, registry: SAMPLE_REGISTRY, role: 'login' as const }
    }
    const found = directory.byHost(host)
    return found && { host, ...found }
  }

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
  ): Promise<void> {
    const found = findHost(request)
    if (!found) throw new OciError('NOT_FOUND')
    record.registry = found.registry
    if (found.role === 'data') record.region = found.region
    const origin = originOf(request)
    const admission = admit(origin, found.registry, found.host)
    if (!admission.admitted) {
      const { host, role } = found
      log.info({ origin, host, role, reason: admission.reason }, 'request refused')
      record.isTurnedAway = true
      throw admission.error
    }
    const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s)
    const exchange: Exchange = {
      request,
      response,
      registry: found.registry,
      path: decodePath(path),
      query: new URLSearchParams(query),
      record,
    }
    if (found.role === 'login') return routes.serveLoginServer(exchange)
    return routes.serveDataEndpoint(exchange, found.region)
  }

  function fail(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
    thrown: unknown,
  ): void {
    // A client that went away gets no answer and is nobody's error.
    if (response.destroyed || request.socket.destroyed) return
    const error = thrown instanceof OciError ? thrown : toUnknown(thrown)
    record.errorCode = error.code
    // Without its query: that may be a signature.
    const path = request.url?.split('?')[0]
    // What failed elsewhere is logged where it was asked for.
    if (error.status >= 500 && error.code !== 'UNAVAILABLE') {
      log.error({ err: error.cause, host: request.headers.host, path }, 'request failed')
    }
    if (response.headersSent) {
      response.destroy()
      return
    }
    sendJson({ request, response, record }, error.status, error.toJSON(), error.headers)
  }

  return {
    handle(request, response) {
      const record = observer.follow(request, response)
      serve(request, response, record).catch((thrown) => fail(request, response, record, thrown))
    },
  }
}

/** The registry plane with all that happens in it without a request. */
export function createRegistryPlane(options: RegistryPlaneOptions): RegistryPlane {
  const { database, blobs, directory, outside, clock, log } = options
  const { recorder = NO_RECORDER, pauses = PAUSES } = options
  const reader = createContentReader(database.reader)
  const queue = createReplicaQueue(database.kysely, clock)
  const stores = createRegionStores(blobs, options.replicas.store, (region, error) =>
    log.error({ err: error, region }, 'the blobs of a region cannot be read'),
  )
  const replicator = createReplicator({ queue, stores, clock, log })
  const writer = createContentWriter(database.kysely, clock, blobs, replicator.wake, recorder)
  const nearest = createNearestRegion(options.replicas.regionOf)
  const changes = createChangeTeller(recorder)
  const cacheReader = createCacheReader(database.reader)
  const deleted = createDeletedReader(database.reader)
  const upstream = createUpstream({
    ...{ outside, blobs, reader, writer, cacheReader, clock, log, pauses },
    cacheWriter: createCacheWriter(database.kysely, clock),
    credentialsOf: options.cache.credentialsOf,
  })
  const { recheckSeconds } = options.cache
  const imports = createImportQueue(log, clock)

  /** Who may hold something; before the first call of `retain` only the database knows. */
  let holders: ReadonlySet<string> | undefined

  /** What the queue was told last. */
  let keptReplicas: string | undefined

  const hasten: RegistryPlane['hasten'] = async (replica, digest, size) => {
    await queue.hasten(replica, digest, size)
    replicator.wake()
  }

  /** Nobody waits for it: the blob comes from the home in the meantime. */
  function lacks(replica: ReplicaKey, digest: Digest, size: number): void {
    hasten(replica, digest, size).catch((error: unknown) =>
      log.error({ err: error, ...replica, digest }, 'not queued'),
    )
  }

  async function forgetRegistry(uid: string): Promise<void> {
    await blobs.discardUploads(uid)
    await writer.deleteRegistry(uid)
  }

  /** Only of what comes by a cache rule may a part be missing. */
  async function complete(uid: string, image: SourceImage): Promise<void> {
    const { repository } = image
    const rules = directory.list().find((registry) => registry.uid === uid)?.cacheRules
    const found = upstreamOf(rules, repository)
    if (!found) return
    await completeImage({ upstream, reader }, { registry: uid, repository, upstream: found }, image)
  }

  const { manifest, blob, arrived } = upstream
  return {
    ...createRegistryServer({
      ...options,
      ...{ reader, writer, deleted, stores, nearest, lacks, upstream, cacheReader, recheckSeconds },
    }),
    writer,
    hasten,
    upstream: { manifest, blob, arrived },

    copyImage(copy, errand) {
      const target = directory.list().find(({ uid }) => uid === copy.to.registryUid)
      const occasion = target && occasionOfErrand(target, errand, clock)
      const ports = { reader, writer, blobs, clock, outside, pauses, complete, changes }
      return imports.run(copy, errand, async (progress) => {
        await copyImage({ database: database.kysely, ...ports }, copy, errand, progress, occasion)
        replicator.wake()
      })
    },

    forgetRegistry,

    async retain(uids) {
      const kept = new Set([...uids, SAMPLE_REGISTRY.uid])
      const before = holders ?? reader.registries()
      holders = kept
      for (const uid of before) if (!kept.has(uid)) await forgetRegistry(uid)
    },

    storedBytes: async (uid) => reader.storedBytes(uid),

    replicaState: (replica) => queue.state(replica),

    async keepReplicas() {
      const replicas = directory.list().flatMap(replicasOf)
      const names = JSON.stringify(replicas)
      if (names === keptReplicas) return
      await queue.keep(replicas)
      keptReplicas = names
      replicator.wake()
    },

    replicated: () => replicator.idle(),

    async close() {
      await upstream.close()
      await replicator.stop()
    },

    hasRepository(uid, pattern) {
      if (!isWildcard(pattern)) return reader.hasRepository(uid, pattern)
      const [first] = reader.repositories(uid, { n: 1, last: pattern.slice(0, -1) })
      return first !== undefined && isWithin(pattern, first)
    },

    seed: () => seedSamples({ reader, writer, blobs }),
    runningImports: imports.list,
  }
}

const replicasOf = ({ uid, homeRegion, dataEndpoints }: RegistryFacts): readonly ReplicaKey[] =>
  dataEndpoints
    .filter(({ region }) => region !== homeRegion)
    .map(({ region }) => ({ registry: uid, region }))

const toUnknown = (thrown: unknown): OciError =>
  new OciError(isStorageFull(thrown) ? 'STORAGE_FULL' : 'UNKNOWN', undefined, { cause: thrown })
