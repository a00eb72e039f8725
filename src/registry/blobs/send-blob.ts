import type { ServerResponse } from 'node:http'
import type { BytesReader } from '../../storage/blob-store.ts'
import type { ByteRange } from '../http/byte-range.ts'
import type { BufferPool } from './buffer-pool.ts'
import { readBytes } from './read-bytes.ts'

/** Below this one read and one write do. */
const SMALL_BYTES = 64 * 1024

/**
 * Sends bytes of a blob as the rest of an answer whose head is set, and ends it. Two buffers take turns: one is read
 * into while the other is on its way. Stops when the client goes.
 *
 * @throws Error when the blob is shorter than the range says
 */
export async function sendBlob(
  reader: BytesReader,
  response: ServerResponse,
  range: ByteRange,
  pool: BufferPool,
): Promise<void> {
  if (range.end - range.start <= SMALL_BYTES) return sendSmall(reader, response, range)
  // It may have gone while the blob was opened.
  if (response.destroyed) return
  let isGone = false
  const gone = new Promise<void>((resolve) => {
    response.once('close', () => {
      isGone = true
      resolve()
    })
  })
  const buffers = [pool.take(), pool.take()] as const
  const sent: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()]
  let turn: 0 | 1 = 0
  for (let position = range.start; position < range.end; turn = turn === 0 ? 1 : 0) {
    await Promise.race([sent[turn], gone])
    if (isGone) return
    const part = buffers[turn].subarray(0, range.end - position)
    const bytes = await reader.read(part, position)
    if (bytes === 0) throw new Error(endsEarly(range, position - range.start))
    position += bytes
    sent[turn] = new Promise((resolve) => {
      response.write(part.subarray(0, bytes), () => resolve())
    })
  }
  await Promise.race([Promise.all(sent), gone])
  // A buffer whose write was cut off may still be in use below.
  if (isGone) return
  for (const buffer of buffers) pool.give(buffer)
  response.end()
}

async function sendSmall(reader: BytesReader, response: ServerResponse, range: ByteRange) {
  const bytes = await readBytes(reader, range)
  if (bytes.length < range.end - range.start) throw new Error(endsEarly(range, bytes.length))
  response.end(bytes)
}

const endsEarly = ({ start, end }: ByteRange, length: number): string =>
  `the blob ends at ${start + length}, not at ${end}`
