import { type FileHandle, open, stat } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'

const CHUNK_BYTES = 64 * 1024
const NEW_LINE = 0x0a
const LOOK_AGAIN_MS = 100

/**
 * The last lines of a file and, with `follow`, every further one for as long as somebody asks. It goes on when the file gets
 * another name and a new one takes its place: what is written to the old one until then is not lost.
 */
export async function* linesOf(
  file: string,
  options: { readonly last: number; readonly follow: boolean },
): AsyncGenerator<string> {
  let handle = await open(file)
  try {
    let position = await startOfLast(handle, options.last)
    let rest = ''
    const decoder = new StringDecoder('utf8')
    const buffer = Buffer.alloc(CHUNK_BYTES)
    for (;;) {
      const successor = options.follow ? await openSuccessor(file, handle) : undefined
      // Looked for before the end is read: when there is one, nobody writes to this file any more.
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
        if (bytesRead === 0) break
        position += bytesRead
        const lines = (rest + decoder.write(buffer.subarray(0, bytesRead))).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
      if (successor) {
        await handle.close()
        handle = successor
        position = 0
        continue
      }
      if (!options.follow) {
        if (rest !== '') yield rest
        return
      }
      // Somebody has cut it short in place.
      if ((await handle.stat()).size < position) position = 0
      await delay(LOOK_AGAIN_MS)
    }
  } finally {
    await handle.close()
  }
}

/** The file that has the name now, once the server writes to it; undefined as long as that is still the same one. */
async function openSuccessor(file: string, present: FileHandle): Promise<FileHandle | undefined> {
  const named = await stat(file).catch(() => undefined)
  const own = await present.stat()
  if (!named || named.size === 0 || (named.ino === own.ino && named.dev === own.dev))
    return undefined
  // Renamed again between the two looks, it is found at the next one.
  return open(file).catch(() => undefined)
}

/** Where the last lines begin, read from the end of the file. */
async function startOfLast(handle: FileHandle, count: number): Promise<number> {
  const { size } = await handle.stat()
  if (count === 0) return size
  const buffer = Buffer.alloc(CHUNK_BYTES)
  let found = 0
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES)
    await handle.read(buffer, 0, end - start, start)
    for (let at = end - 1; at >= start; at -= 1) {
      // The end of the last line begins no other.
      if (buffer[at - start] !== NEW_LINE || at === size - 1) continue
      found += 1
      if (found === count) return at + 1
    }
    end = start
  }
  return 0
}
