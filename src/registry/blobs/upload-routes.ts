import type { IncomingMessage } from 'node:http'
import { algorithmOf, type Digest } from '../../lib/digest.ts'
import type { BlobStore, BlobUpload } from '../../storage/blob-store.ts'
import type { Authorizer } from '../access/authorize.ts'
import type { ContentReader } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { disallowed } from '../content/disallowed.ts'
import { piecesOf } from '../http/body.ts'
import { parseContentRange } from '../http/byte-range.ts'
import { type Exchange, sendEmpty } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import { parseDigest } from '../http/oci-path.ts'
import { createBlobMount } from './mount-blob.ts'

interface UploadPath {
  readonly repository: string
  readonly id: string
}

export interface UploadRoutes {
  /** POST: mounts, takes a whole blob, or opens an upload. */
  begin(exchange: Exchange, repository: string): Promise<void>
  /** PATCH: the next bytes. */
  append(exchange: Exchange, path: UploadPath): Promise<void>
  /** PUT: the last bytes, if any, and the digest of all. */
  close(exchange: Exchange, path: UploadPath): Promise<void>
  status(exchange: Exchange, path: UploadPath): Promise<void>
  cancel(exchange: Exchange, path: UploadPath): Promise<void>
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs */
export function createUploadRoutes(options: {
  readonly reader: ContentReader
  readonly writer: ContentWriter
  readonly blobs: BlobStore
  readonly authorizer: Authorizer
}): UploadRoutes {
  const { reader, writer, blobs } = options
  const mountBlob = createBlobMount(options)

  /** Runs one piece of work on an open upload, alone. */
  async function withUpload(
    { registry }: Exchange,
    { repository, id }: UploadPath,
    work: (upload: BlobUpload) => Promise<void>,
  ): Promise<void> {
    const upload = await blobs.resume({ registry: registry.uid, repository }, id)
    if (!upload) throw new OciError('BLOB_UPLOAD_UNKNOWN')
    await upload.exclusive(async () => {
      if (upload.state === 'done') throw new OciError('BLOB_UPLOAD_UNKNOWN')
      await work(upload)
    })
  }

  async function commit(
    exchange: Exchange,
    repository: string,
    upload: BlobUpload,
    digest: Digest,
  ): Promise<void> {
    // Its registry may have gone while the bytes came.
    if (upload.state === 'done') throw new OciError('BLOB_UPLOAD_UNKNOWN')
    const size = upload.received
    const key = { registry: exchange.registry.uid, repository }
    if ((await upload.commit(digest, () => writer.linkBlob(key, digest, size))) === 'mismatch') {
      await upload.discard()
      throw new OciError('DIGEST_INVALID', { digest })
    }
    sendCreated(exchange, repository, digest)
  }

  return {
    async begin(exchange, repository) {
      const { query, registry, request } = exchange
      // The push is refused with its manifest in any case; so its layers need not be sent.
      if (!reader.isWritable(registry.uid, repository)) {
        throw disallowed({ kind: 'repository', name: repository, attribute: 'writeEnabled' })
      }
      const mounted = await mountBlob(exchange, repository)
      if (mounted) return sendCreated(exchange, repository, mounted)
      const digestText = query.get('digest')
      const digest = digestText ? parseDigest(digestText) : undefined
      const upload = await blobs.begin({ registry: registry.uid, repository })
      await upload.exclusive(async () => {
        if (!digest) return sendProgress(exchange, 202, repository, upload)
        try {
          await receive(upload, request, algorithmOf(digest))
        } catch (error) {
          await upload.discard()
          throw error
        }
        await commit(exchange, repository, upload, digest)
      })
    },

    append: (exchange, path) =>
      withUpload(exchange, path, async (upload) => {
        checkPosition(exchange, path, upload)
        await receive(upload, exchange.request, undefined)
        sendProgress(exchange, 202, path.repository, upload)
      }),

    async close(exchange, path) {
      const digest = parseDigest(exchange.query.get('digest') ?? '')
      await withUpload(exchange, path, async (upload) => {
        if (hasBody(exchange.request)) {
          checkPosition(exchange, path, upload)
          await receive(upload, exchange.request, algorithmOf(digest))
        }
        await commit(exchange, path.repository, upload, digest)
      })
    },

    status: (exchange, path) =>
      withUpload(exchange, path, async (upload) =>
        sendProgress(exchange, 204, path.repository, upload),
      ),

    cancel: (exchange, path) =>
      withUpload(exchange, path, async (upload) => {
        await upload.discard()
        sendEmpty(exchange, 204)
      }),
  }
}

async function receive(
  upload: BlobUpload,
  request: IncomingMessage,
  algorithm: ReturnType<typeof algorithmOf> | undefined,
): Promise<void> {
  const before = upload.received
  await upload.append(piecesOf(request), algorithm)
  const range = request.headers['content-range']
  const stated = range === undefined ? undefined : parseContentRange(range)
  if (stated && stated.end - stated.start !== upload.received - before) {
    throw new OciError('SIZE_INVALID')
  }
}

/**
 * Bytes are taken only at the end of what is there. `Content-Range` says where a chunk belongs; without one, the
 * `_state` of the location it was sent to does, so that a repeated request is not appended twice.
 */
function checkPosition(
  { request, query }: Exchange,
  { repository }: UploadPath,
  upload: BlobUpload,
): void {
  const header = request.headers['content-range']
  const range = header === undefined ? undefined : parseContentRange(header)
  const length = request.headers['content-length']
  if (header !== undefined && !range) {
    throw new OciError('BLOB_UPLOAD_INVALID', { 'Content-Range': header })
  }
  if (range && length !== undefined && Number(length) !== range.end - range.start) {
    throw new OciError('SIZE_INVALID', { 'Content-Range': header, 'Content-Length': length })
  }
  const state = query.get('_state')
  const start = range?.start ?? (state === null ? upload.received : Number(state))
  if (start === upload.received) return
  throw new OciError('RANGE_INVALID', undefined, { headers: progressOf(repository, upload) })
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

const progressOf = (repository: string, { id, received }: BlobUpload): Record<string, string> => ({
  Location: `/v2/${repository}/blobs/uploads/${id}?_state=${received}`,
  'Docker-Upload-UUID': id,
  // An empty upload is `0-0` as well: https://github.com/distribution/distribution/issues/2387
  Range: `0-${Math.max(received - 1, 0)}`,
})

const sendProgress = (
  exchange: Exchange,
  status: 202 | 204,
  repository: string,
  upload: BlobUpload,
): void => sendEmpty(exchange, status, progressOf(repository, upload))

const sendCreated = (exchange: Exchange, repository: string, digest: Digest): void =>
  sendEmpty(exchange, 201, {
    Location: `/v2/${repository}/blobs/${digest}`,
    'Docker-Content-Digest': digest,
  })
