import type { Digest } from '../../lib/digest.ts'
import type { BlobReader, BlobStore } from '../../storage/blob-store.ts'

const CHUNK_BYTES = 1 << 20

/**
 * Copies a blob into another store, and puts it in place there when its digest is proven; then `seen` is told, as in
 * `BlobUpload.commit`. `damaged`: the source cannot be read to its end, or has other bytes.
 *
 * @throws what the store that is copied into throws
 */
export async function copyBlob(
  source: BlobReader,
  target: BlobStore,
  blob: { readonly registry: string; readonly digest: Digest },
  seen: () => Promise<boolean>,
): Promise<'copied' | 'damaged'> {
  const upload = await target.begin({ registry: blob.registry, repository: '' })
  try {
    await upload.append(bytesOf(source))
    if ((await upload.commit(blob.digest, seen)) === 'committed') return 'copied'
    await upload.discard()
    return 'damaged'
  } catch (error) {
    await upload.discard()
    if (error instanceof Unreadable) return 'damaged'
    throw error
  }
}

async function* bytesOf(reader: BlobReader): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    // A chunk of its own each time: the store may still be writing the one before.
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    const read = await reader.read(chunk, position).catch((cause: unknown) => {
      throw new Unreadable('a blob cannot be read', { cause })
    })
    if (read === 0) return
    position += read
    yield chunk.subarray(0, read)
  }
}

/** It is not the store that is copied into which failed. */
class Unreadable extends Error {
  override readonly name = 'Unreadable'
}
