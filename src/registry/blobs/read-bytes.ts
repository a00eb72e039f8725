import type { BytesReader } from '../../storage/blob-store.ts'
import type { ByteRange } from '../http/byte-range.ts'

/** The bytes of a range that is small enough for memory; fewer where the blob ends before. */
export async function readBytes(reader: BytesReader, { start, end }: ByteRange): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(end - start)
  let filled = 0
  while (filled < bytes.length) {
    const read = await reader.read(bytes.subarray(filled), start + filled)
    if (read === 0) break
    filled += read
  }
  return bytes.subarray(0, filled)
}
