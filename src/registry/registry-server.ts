import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'
import type { Digest } from '../lib/digest.ts'
import { type Metrics, NO_METRICS } from '../lib/metrics.ts'
import { originOf } from '../lib/origin.ts'
import { type BlobStore, isStorageFull } from '../storage/blob-store.ts'
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
import type { CacheReader } from './cache/cache-reader.ts'
import { createPullThrough } from './cache/pull-through.ts'
import type { Upstream } from './cache/upstream.ts'
import type { ContentReader } from './content/content-reader.ts'
import type { ContentWriter } from './content/content-writer.ts'
import type { DeletedReader } from './content/deleted-reader.ts'
import { createRequestObserver } from './events/observe-requests.ts'
import { NO_EVENTS, type RegistryEvents } from './events/registry-events.ts'
import type { RequestRecord } from './events/request-record.ts'
import { type Exchange, type Query, sendJson } from './http/exchange.ts'
import { OciError } from './http/oci-error.ts'
import { decodePath } from './http/oci-path.ts'
import type { RegistryIdentity } from './identity.ts'
import { createListRoutes } from './manifests/list-routes.ts'
import { createManifestRoutes } from './manifests/manifest-routes.ts'
import { createReferrerRoutes } from './manifests/referrer-routes.ts'
import type { Mender } from './mending/create-mender.ts'
import type { RegistryDirectory } from './registry-directory.ts'
import type { NearestRegion } from './replicas/nearest-region.ts'
import type { RegionStores } from './replicas/region-stores.ts'
import type { ReplicaKey } from './replicas/replica-queue.ts'
import { createRoutes } from './routes.ts'
import { SAMPLE_REGISTRY } from './samples/sample-registry.ts'

const NO_QUERY: Query = new URLSearchParams()
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
  /** Mends a blob that could not be read. */
  readonly mend: Mender['mend']
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

export interface RegistryServer {
  /** Serves a request whose origin the front has set; its `Host` says which registry. */
  handle(request: IncomingMessage, response: ServerResponse): void
}

/** Serves the registry plane: who may come in, what was asked for, and the answer or the refusal in its own words. */
export function createRegistryServer(options: RegistryServerOptions): RegistryServer {
  const { reader, writer, blobs, stores, nearest, lacks, mend } = options
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
      ...{ reader, writer, stores, nearest, lacks, mend, signer, pool, pullThrough },
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
    const { url = '' } = request
    const mark = url.indexOf('?')
    const exchange: Exchange = {
      request,
      response,
      registry: found.registry,
      path: decodePath(mark < 0 ? url : url.slice(0, mark)),
      query: mark < 0 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1)),
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

const toUnknown = (thrown: unknown): OciError =>
  new OciError(isStorageFull(thrown) ? 'STORAGE_FULL' : 'UNKNOWN', undefined, { cause: thrown })
