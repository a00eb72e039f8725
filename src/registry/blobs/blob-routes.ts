import type { TLSSocket } from 'node:tls'
import type { Digest } from '../../lib/digest.ts'
import { hostFor, originOf } from '../../lib/origin.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { ContentReader } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { parseRange } from '../http/byte-range.ts'
import { type Exchange, sendEmpty } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import type { BufferPool } from './buffer-pool.ts'
import { sendBlob } from './send-blob.ts'
import type { UrlSigner } from './signed-url.ts'

interface BlobPath {
  readonly repository: string
  readonly digest: Digest
}

const DAMAGED =
  'the bytes of this blob are damaged, and were set aside: push an image that has it again to repair it'

export interface BlobRoutes {
  /** HEAD and GET at the login server: the bytes, or the way to the data endpoint. */
  read(exchange: Exchange, path: BlobPath): Promise<void>
  /** HEAD and GET at the data endpoint of a region: with a signature and with nothing else. */
  readSigned(exchange: Exchange, path: BlobPath, region: string): Promise<void>
  remove(exchange: Exchange, path: BlobPath): Promise<void>
}

export function createBlobRoutes(options: {
  readonly reader: ContentReader
  readonly writer: ContentWriter
  readonly blobs: BlobStore
  readonly signer: UrlSigner
  readonly pool: BufferPool
}): BlobRoutes {
  const { reader, writer, blobs, signer, pool } = options

  function sizeOf({ registry }: Exchange, { repository, digest }: BlobPath): number {
    const size = reader.blobSize(registry.uid, repository, digest)
    if (size !== undefined) return size
    if (!reader.isDamaged(registry.uid, repository, digest))
      throw new OciError('BLOB_UNKNOWN', { digest })
    throw new OciError('BLOB_UNKNOWN', { digest }, { message: DAMAGED })
  }

  /** Whoever asks whether a blob is there will use it. */
  async function renew({ registry }: Exchange, { repository, digest }: BlobPath): Promise<void> {
    if (!reader.isUnderReview(registry.uid, repository, digest)) return
    if (await writer.renewBlob({ registry: registry.uid, repository }, digest)) return
    throw new OciError('BLOB_UNKNOWN', { digest })
  }

  async function send(exchange: Exchange, path: BlobPath, size: number): Promise<void> {
    const { request, response } = exchange
    const { digest } = path
    const etag = `"${digest}"`
    const headers = {
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'max-age=31536000',
      'Content-Type': 'application/octet-stream',
      'Docker-Content-Digest': digest,
      ETag: etag,
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, { ...headers, 'Content-Length': size })
      response.end()
      return
    }
    const condition = request.headers['if-range']
    const isRangeWanted = condition === undefined || condition === etag
    const range = isRangeWanted ? parseRange(request.headers.range, size) : undefined
    if (range === 'unsatisfiable') {
      throw new OciError('RANGE_INVALID', undefined, {
        headers: { 'Content-Range': `bytes */${size}` },
      })
    }
    const blob = await blobs.open(digest)
    if (!blob) {
      // It may have been deleted since its size was read, and its file removed.
      sizeOf(exchange, path)
      throw new Error(`the store lacks a blob that a repository has: ${digest}`)
    }
    try {
      const { start, end } = range ?? { start: 0, end: size }
      response.writeHead(range ? 206 : 200, {
        ...headers,
        'Content-Length': end - start,
        ...(range && { 'Content-Range': `bytes ${start}-${end - 1}/${size}` }),
      })
      await sendBlob(blob, response, { start, end }, pool)
    } finally {
      await blob.close()
    }
  }

  return {
    async read(exchange, path) {
      const { registry, request } = exchange
      const size = sizeOf(exchange, path)
      if (request.method === 'HEAD') await renew(exchange, path)
      const data = registry.dataEndpoints.find(({ region }) => region === registry.homeRegion)
      // Clients ask by HEAD whether a blob is there; they need no bytes for that, so no redirect.
      if (!registry.redirectsBlobs || !data || request.method === 'HEAD') {
        return send(exchange, path, size)
      }
      const { repository, digest } = path
      const query = signer.sign({ registry: registry.uid, repository, digest, region: data.region })
      const scheme = (request.socket as Partial<TLSSocket>).encrypted ? 'https' : 'http'
      const host = hostFor(originOf(request), data.host)
      sendEmpty(exchange, 307, {
        Location: `${scheme}://${host}/v2/${repository}/blobs/${digest}?${query}`,
        'Docker-Content-Digest': digest,
        'Cache-Control': 'no-store',
      })
    },

    async readSigned(exchange, path, region) {
      const { registry, query } = exchange
      if (!signer.isSigned({ registry: registry.uid, ...path, region }, query)) {
        throw new OciError('DENIED', undefined, {
          message: 'the signature of the URL is not valid for it, or not any more',
        })
      }
      await send(exchange, path, sizeOf(exchange, path))
    },

    async remove(exchange, { repository, digest }) {
      const key = { registry: exchange.registry.uid, repository }
      if (!(await writer.unlinkBlob(key, digest))) throw new OciError('BLOB_UNKNOWN', { digest })
      sendEmpty(exchange, 202)
    },
  }
}
