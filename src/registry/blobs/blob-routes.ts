import type { TLSSocket } from 'node:tls'
import type { Digest } from '../../lib/digest.ts'
import { hostFor, originOf } from '../../lib/origin.ts'
import type { BytesReader } from '../../storage/blob-store.ts'
import type { ArrivingBlob } from '../cache/arriving-blob.ts'
import type { PullThrough } from '../cache/pull-through.ts'
import type { ContentReader } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { disallowed } from '../content/disallowed.ts'
import { occasionOf } from '../events/occasion.ts'
import { parseRange } from '../http/byte-range.ts'
import { isNotModified } from '../http/conditional.ts'
import { type Exchange, sendEmpty, sendHead } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import type { Mender } from '../mending/create-mender.ts'
import { openLasting } from '../mending/lasting-reader.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import { HOME } from '../replicas/home.ts'
import type { NearestRegion } from '../replicas/nearest-region.ts'
import type { RegionStores } from '../replicas/region-stores.ts'
import type { ReplicaKey } from '../replicas/replica-queue.ts'
import type { BufferPool } from './buffer-pool.ts'
import { sendBlob } from './send-blob.ts'
import type { UrlSigner } from './signed-url.ts'

interface BlobPath {
  readonly repository: string
  readonly digest: Digest
}

const DAMAGED =
  'the bytes of this blob are damaged or lost, and no region has them whole: push an image that has it again to repair it'

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
  readonly stores: RegionStores
  readonly nearest: NearestRegion
  /** A replica was asked for a blob that it has not got yet. */
  readonly lacks: (replica: ReplicaKey, digest: Digest, size: number) => void
  readonly mend: Mender['mend']
  readonly signer: UrlSigner
  readonly pool: BufferPool
  readonly pullThrough: Pick<PullThrough, 'blob'>
}): BlobRoutes {
  const { reader, writer, stores, nearest, lacks, mend, signer, pool, pullThrough } = options

  /** A blob that the repository has, or that is on its way to it; `region` is where it is served. */
  async function find(
    exchange: Exchange,
    path: BlobPath,
    region: string,
  ): Promise<ArrivingBlob & { readonly readEnabled: boolean }> {
    const here = findHere(exchange, path, region)
    if (here) return here
    const { registry } = exchange
    const damaged = reader.damagedBlob(registry.uid, path.repository, path.digest)
    if (damaged) {
      const whole = await mend(HOME, path.digest)
      // Where the home takes no bytes, it is served from the region that has them.
      const at = whole === HOME ? region : whole
      if (at !== undefined) {
        return { ...damaged, open: () => openHere(registry, at, path, damaged.size) }
      }
    }
    const arriving = await pullThrough.blob(registry, path)
    if (arriving === 'not-readable') throw refusedBlob(exchange, path)
    if (arriving) return { ...arriving, readEnabled: true }
    // It may have come meanwhile.
    const come = findHere(exchange, path, region)
    if (!come) throw unknownBlob(path, damaged !== undefined)
    return come
  }

  function findHere(exchange: Exchange, path: BlobPath, region: string) {
    const blob = reader.blob(exchange.registry.uid, path.repository, path.digest)
    return blob && { ...blob, open: () => openHere(exchange.registry, region, path, blob.size) }
  }

  async function openHere(
    { uid, homeRegion, dataEndpoints }: RegistryFacts,
    region: string,
    { repository, digest }: BlobPath,
    size: number,
  ): Promise<BytesReader> {
    const near = region === homeRegion ? HOME : region
    const found = await openLasting({ stores, mend }, { region: near, digest, size })
    if (!found) {
      // It may have been deleted since it was found, and its file removed; if not, no region has it any more.
      const isDamaged = reader.damagedBlob(uid, repository, digest) !== undefined
      throw unknownBlob({ repository, digest }, isDamaged)
    }
    const isReplica = dataEndpoints.some((each) => each.region === region)
    if (found.from !== near && isReplica) lacks({ registry: uid, region }, digest, size)
    return found
  }

  const unknownBlob = ({ digest }: BlobPath, isDamaged: boolean): OciError =>
    new OciError('BLOB_UNKNOWN', { digest }, isDamaged ? { message: DAMAGED } : {})

  /** Who pushes to a repository that may not be read still asks what is there. */
  const refusedBlob = ({ request }: Exchange, { repository, digest }: BlobPath): OciError =>
    request.method === 'HEAD'
      ? new OciError('BLOB_UNKNOWN', { digest })
      : disallowed({ name: repository, attribute: 'readEnabled' })

  /** Whoever asks whether a blob is there will use it. */
  async function renew({ registry }: Exchange, { repository, digest }: BlobPath): Promise<void> {
    if (!reader.isUnderReview(registry.uid, repository, digest)) return
    if (await writer.renewBlob({ registry: registry.uid, repository }, digest)) return
    throw new OciError('BLOB_UNKNOWN', { digest })
  }

  async function send(
    exchange: Exchange,
    { digest }: BlobPath,
    { size, open }: ArrivingBlob,
  ): Promise<void> {
    const { request, response } = exchange
    const etag = `"${digest}"`
    const headers = {
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'max-age=31536000',
      'Content-Type': 'application/octet-stream',
      'Docker-Content-Digest': digest,
      ETag: etag,
    }
    if (isNotModified(request.headers['if-none-match'], etag)) {
      sendHead(exchange, 304, headers)
      response.end()
      return
    }
    if (request.method === 'HEAD') {
      sendHead(exchange, 200, { ...headers, 'Content-Length': size })
      response.end()
      return
    }
    const condition = request.headers['if-range']
    const isRangeWanted = condition === undefined || condition === etag
    const range = isRangeWanted ? parseRange(request.headers.range, size) : undefined
    if (range === 'unsatisfiable') {
      throw new OciError('RANGE_UNSATISFIABLE', undefined, {
        headers: { 'Content-Range': `bytes */${size}` },
      })
    }
    const blob = await open()
    try {
      const { start, end } = range ?? { start: 0, end: size }
      sendHead(exchange, range ? 206 : 200, {
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
      const near = nearest(registry, originOf(request))
      const blob = await find(exchange, path, near)
      if (!blob.readEnabled && request.method !== 'HEAD') throw refusedBlob(exchange, path)
      if (request.method === 'HEAD') await renew(exchange, path)
      const data = registry.dataEndpoints.find(({ region }) => region === near)
      // Clients ask by HEAD whether a blob is there; they need no bytes for that, so no redirect.
      if (!registry.redirectsBlobs || !data || request.method === 'HEAD') {
        return send(exchange, path, blob)
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
      await send(exchange, path, await find(exchange, path, region))
    },

    async remove(exchange, { repository, digest }) {
      const key = { registry: exchange.registry.uid, repository }
      if (!(await writer.unlinkBlob(key, digest, occasionOf(exchange)))) {
        throw new OciError('BLOB_UNKNOWN', { digest })
      }
      sendEmpty(exchange, 202)
    },
  }
}
