import {
  type Authorizer,
  type Need,
  TO_LIST_CATALOG,
  TO_LIST_DELETED,
  toDelete,
  toListTags,
  toPull,
  toPush,
  toReadDeleted,
  toReadMetadata,
  toRestore,
  toWriteMetadata,
} from './access/authorize.ts'
import type { TokenEndpoints } from './access/token-endpoints.ts'
import { parseAcrPath } from './acr/acr-path.ts'
import { isDeletedPath, parseDeletedPath } from './acr/deleted-path.ts'
import type { DeletedRoutes } from './acr/deleted-routes.ts'
import type { MetadataRoutes } from './acr/metadata-routes.ts'
import type { BlobRoutes } from './blobs/blob-routes.ts'
import { mountSource } from './blobs/mount-blob.ts'
import type { UploadRoutes } from './blobs/upload-routes.ts'
import type { PullThrough } from './cache/pull-through.ts'
import { type Exchange, sendJson } from './http/exchange.ts'
import { OciError } from './http/oci-error.ts'
import { parseOciPath } from './http/oci-path.ts'
import type { ListRoutes } from './manifests/list-routes.ts'
import type { ManifestRoutes } from './manifests/manifest-routes.ts'
import type { ReferrerRoutes } from './manifests/referrer-routes.ts'
import { isSampleRegistry } from './samples/sample-registry.ts'

/** What may be done, who may do it, and how: by method. HEAD is a GET here; what answers looks at the method. */
type Operations = Partial<
  Record<string, readonly [need: Need | undefined, run: () => Promise<void> | void]>
>

export interface Routes {
  serveLoginServer(exchange: Exchange): Promise<void>
  serveDataEndpoint(exchange: Exchange, region: string): Promise<void>
}

/** Finds by path and method what is to be done, has it authorised, and does it. */
export function createRoutes(options: {
  readonly authorizer: Authorizer
  readonly tokenEndpoints: TokenEndpoints
  readonly blobs: BlobRoutes
  readonly uploads: UploadRoutes
  readonly manifests: ManifestRoutes
  readonly referrers: ReferrerRoutes
  readonly lists: ListRoutes
  readonly metadata: MetadataRoutes
  readonly pullThrough: Pick<PullThrough, 'manifest'>
  readonly deleted: DeletedRoutes
}): Routes {
  const { authorizer, tokenEndpoints, blobs, uploads, manifests, referrers, lists } = options
  const { metadata, deleted, pullThrough } = options

  function operationsOf(exchange: Exchange): Operations | undefined {
    if (isDeletedPath(exchange.path)) return deletedOperations(exchange)
    return exchange.path.startsWith('/acr/') ? acrOperations(exchange) : ociOperations(exchange)
  }

  function ociOperations(exchange: Exchange): Operations | undefined {
    const path = parseOciPath(exchange.path)
    if (path) exchange.record.asked = path
    switch (path?.kind) {
      case undefined:
        return undefined
      case 'base':
        return { GET: [undefined, () => sendJson(exchange, 200, {})] }
      case 'catalog':
        return { GET: [TO_LIST_CATALOG, () => lists.catalog(exchange)] }
      case 'tags':
        return {
          GET: [toListTags(path.repository), () => lists.tags(exchange, path.repository)],
        }
      case 'manifest':
        return {
          GET: [toPull(path.repository), () => readManifest(exchange, path)],
          PUT: [toPush(path.repository), () => manifests.push(exchange, path)],
          DELETE: [toDelete(path.repository), () => manifests.remove(exchange, path)],
        }
      case 'no_manifest': {
        const refuse = (code: 'MANIFEST_UNKNOWN' | 'TAG_INVALID') => async () => {
          throw new OciError(code, { tag: path.tag })
        }
        return {
          GET: [toPull(path.repository), refuse('MANIFEST_UNKNOWN')],
          PUT: [toPush(path.repository), refuse('TAG_INVALID')],
          DELETE: [toDelete(path.repository), refuse('MANIFEST_UNKNOWN')],
        }
      }
      case 'referrers':
        return { GET: [toPull(path.repository), () => referrers.list(exchange, path)] }
      case 'blob':
        return {
          GET: [toPull(path.repository), () => blobs.read(exchange, path)],
          DELETE: [toDelete(path.repository), () => blobs.remove(exchange, path)],
        }
      case 'uploads':
        return {
          POST: [
            toPush(path.repository, mountSource(exchange.query)),
            () => uploads.begin(exchange, path.repository),
          ],
        }
      case 'upload':
        return {
          GET: [toPush(path.repository), () => uploads.status(exchange, path)],
          PATCH: [toPush(path.repository), () => uploads.append(exchange, path)],
          PUT: [toPush(path.repository), () => uploads.close(exchange, path)],
          DELETE: [toPush(path.repository), () => uploads.cancel(exchange, path)],
        }
    }
  }

  async function readManifest(
    exchange: Exchange,
    path: Parameters<ManifestRoutes['read']>[1],
  ): Promise<void> {
    await pullThrough.manifest(exchange.registry, path)
    await manifests.read(exchange, path)
  }

  function acrOperations(exchange: Exchange): Operations | undefined {
    const path = parseAcrPath(exchange.path)
    if (!path) return undefined
    exchange.record.asked = { ...path, kind: `acr_${path.kind}` }
    if (path.kind === 'catalog') return { GET: [TO_LIST_CATALOG, () => lists.catalog(exchange)] }
    const { repository } = path
    if (path.kind === 'tags' || path.kind === 'manifests') {
      return { GET: [toReadMetadata(repository), () => metadata.list(exchange, path)] }
    }
    const item: Operations = {
      GET: [toReadMetadata(repository), () => metadata.read(exchange, path)],
      PATCH: [toWriteMetadata(repository), () => metadata.change(exchange, path)],
    }
    if (path.kind === 'repository') {
      const remove = () => metadata.removeRepository(exchange, repository)
      return { ...item, DELETE: [toDelete(repository), remove] }
    }
    if (path.kind === 'tag') {
      const remove = () => metadata.removeTag(exchange, repository, path.tag)
      return { ...item, DELETE: [toDelete(repository), remove] }
    }
    // A manifest is deleted under `/v2/`, by every client that there is.
    return item
  }

  function deletedOperations(exchange: Exchange): Operations | undefined {
    const path = parseDeletedPath(exchange.path)
    switch (path?.kind) {
      case undefined:
        return undefined
      case 'catalog':
        return { GET: [TO_LIST_DELETED, () => deleted.catalog(exchange)] }
      case 'tags':
        return {
          GET: [toReadDeleted(path.repository), () => deleted.tags(exchange, path.repository)],
        }
      case 'manifests':
        return {
          GET: [toReadDeleted(path.repository), () => deleted.manifests(exchange, path.repository)],
        }
      case 'manifest':
        return { POST: [toRestore(path.repository), () => deleted.restore(exchange, path)] }
    }
  }

  return {
    async serveLoginServer(exchange) {
      const { path, request, registry } = exchange
      if (path.startsWith('/oauth2/')) return tokenEndpoints.serve(exchange)
      const operations = operationsOf(exchange)
      if (!operations) throw new OciError('NOT_FOUND')
      const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
      const operation = operations[method]
      if (!operation) throw unsupported(Object.keys(operations))
      const [need, run] = operation
      if (!isSampleRegistry(registry)) await authorizer.authorize(exchange, need)
      else if (method !== 'GET') throw new OciError('DENIED')
      await run()
    },

    async serveDataEndpoint(exchange, region) {
      const path = parseOciPath(exchange.path)
      if (path) exchange.record.asked = path
      const { method } = exchange.request
      if (path?.kind !== 'blob') throw new OciError('NOT_FOUND')
      if (method !== 'GET' && method !== 'HEAD') throw unsupported(['GET'])
      await blobs.readSigned(exchange, path, region)
    },
  }
}

function unsupported(methods: readonly string[]): OciError {
  const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return new OciError('UNSUPPORTED', undefined, { headers: { Allow: allowed.join(', ') } })
}
