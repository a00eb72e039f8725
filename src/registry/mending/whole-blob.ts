import { createHash } from 'node:crypto'
import { algorithmOf, type Digest, hexOf } from '../../lib/digest.ts'
import type { BlobReader } from '../../storage/blob-store.ts'

const CHUNK_BYTES = 1 << 20

/** Is told of bytes when they have been read, and may hold up the reading of more. */
export type Pace = (bytes: number) => Promise<void>

export const unhurried: Pace = async () => {}

/** Reads all of a blob: whether its bytes are there and those of its digest, and how many could be read. */
export async function readWhole(
  reader: BlobReader,
  digest: Digest,
  pace: Pace = unhurried,
): Promise<{ readonly isWhole: boolean; readonly bytes: number }> {
  const hash = createHash(algorithmOf(digest))
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let position = 0; ; ) {
    const read = await readOrFail(reader, buffer, position)
    if (read === 'failed') return { isWhole: false, bytes: position }
    if (read === 0) return { isWhole: hash.digest('hex') === hexOf(digest), bytes: position }
    hash.update(buffer.subarray(0, read))
    position += read
    await pace(read)
  }
}

const readOrFail = (
  reader: BlobReader,
  buffer: Buffer,
  position: number,
): Promise<number | 'failed'> => reader.read(buffer, position).catch(() => 'failed')
