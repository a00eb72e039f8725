import type { Digest } from '../../lib/digest.ts'
import type { BlobReader, BlobStore, BytesReader } from '../../storage/blob-store.ts'
import type { ContentReader } from '../content/content-reader.ts'
import type { Arriving, CachedRepository, Upstream } from './upstream.ts'

/** A blob that can be sent although it is not all here. */
export interface ArrivingBlob {
  readonly size: number
  /** Its reader waits for what has not come. The caller closes it. */
  open(): Promise<BytesReader>
}

/**
 * Reads a blob while it arrives, from the file that it arrives in, and from the store when it is whole. A read fails when
 * the blob does not become whole; the last byte is not read before the digest of all is proven.
 */
export function arrivingBlob(
  {
    upstream,
    blobs,
    reader,
  }: {
    readonly upstream: Upstream
    readonly blobs: Pick<BlobStore, 'open' | 'openUpload'>
    readonly reader: Pick<ContentReader, 'blobSize'>
  },
  { registry, repository }: CachedRepository,
  digest: Digest,
  { id, size }: Arriving,
): ArrivingBlob {
  async function openWhole(): Promise<BlobReader> {
    // That the store has it proves nothing: it may be another repository's.
    const isLinked = reader.blobSize(registry, repository, digest) !== undefined
    const whole = isLinked ? await blobs.open(digest) : undefined
    if (!whole) throw new Error(`the blob ${digest} did not arrive`)
    return whole
  }

  return {
    size,
    async open() {
      const part = await blobs.openUpload({ registry, repository }, id)
      // It has become a blob meanwhile, but perhaps none of the repository yet.
      if (!part) await upstream.arrived(id, size)
      let whole = part ? undefined : await openWhole()
      return {
        async read(buffer, position) {
          if (!whole && part) {
            const { state, available } = await upstream.arrived(id, position)
            if (state === 'arriving') {
              return part.read(buffer.subarray(0, available - position), position)
            }
            whole = await openWhole()
          }
          return whole?.read(buffer, position) ?? 0
        },
        async close() {
          try {
            await part?.close()
          } finally {
            await whole?.close()
          }
        },
      }
    },
  }
}
