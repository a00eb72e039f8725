import { createHash } from 'node:crypto'
import { algorithmOf, type Digest, hexOf } from '../../lib/digest.ts'
import type { BlobReader } from '../../storage/blob-store.ts'
import type { ScrubPorts } from './create-scrubber.ts'

const CHUNK_BYTES = 1 << 20

/**
 * Reads a blob, and sets it aside where its bytes are not those of its digest or cannot be read. Returns how many there
 * were. What is not there any more is nobody's fault here.
 */
export async function checkBlob(
  { database, blobs, clock }: ScrubPorts,
  digest: Digest,
  pace: (bytes: number) => Promise<void>,
): Promise<number> {
  const reader = await blobs.open(digest)
  if (!reader) return 0
  try {
    const { isWhole, bytes } = await readWhole(reader, digest, pace)
    if (isWhole) return bytes
    // Whoever pushes it again links it after this transaction or before; then there is another file.
    await database.transaction().execute(async (transaction) => {
      if (!(await blobs.quarantine(digest, reader))) return
      const found_at = clock.now().toISOString()
      await transaction
        .insertInto('registry_damaged_blobs')
        .values({ digest, kind: 'mismatch', found_at })
        .onConflict((conflict) => conflict.doUpdateSet({ kind: 'mismatch', found_at }))
        .execute()
    })
    return bytes
  } finally {
    await reader.close()
  }
}

async function readWhole(
  reader: BlobReader,
  digest: Digest,
  pace: (bytes: number) => Promise<void>,
): Promise<{ isWhole: boolean; bytes: number }> {
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
