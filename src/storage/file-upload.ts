import { createHash, type Hash } from 'node:crypto'
import { copyFile, type FileHandle, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { algorithmOf, type Digest, type DigestAlgorithm, hexOf } from '../lib/digest.ts'
import { syncFolder as syncFile } from '../lib/files.ts'
import { holdFile } from '../lib/held-file.ts'
import { type BlobUpload, type BytesSource, isStorageFull, StorageFull } from './blob-store.ts'
import type { FollowingHash, HashThread } from './hash-thread.ts'

/** Written at once: large enough that system calls do not count, small enough to wait for. */
const BATCH_BYTES = 1 << 20
/** Sent to the disk while more arrives, so that the last wait of a large blob is for its end only. */
const FLUSHED_BYTES = 16 << 20
/** How often a blob that is removed as soon as it is there is put there again. */
const PLACINGS_MAX = 10

interface FileUploadOptions {
  readonly file: string
  readonly id: string
  readonly received: number
  /** The file, where it is open. */
  readonly handle?: FileHandle
  /** Says where the blob goes, in a folder that exists durably. */
  readonly place: (digest: Digest) => Promise<string>
  /** Makes the names in a folder durable. */
  readonly syncFolder: (folder: string) => Promise<void>
  /** Hashes what is large. */
  readonly hashes: HashThread
  readonly done: () => void
}

/** Of all bytes so far: of a small upload's when they come, of a large one's from the file. */
type Hashed = { readonly algorithm: DigestAlgorithm } & (
  | { readonly hash: Hash }
  | { readonly following: FollowingHash }
)

/** An upload into one file. Its bytes are hashed while they arrive, and anew only after a restart or a failed write. */
export function openFileUpload(options: FileUploadOptions): BlobUpload {
  const { file, id, place, syncFolder, hashes, done, ...from } = options
  const held = holdFile(file, 'r+', options.handle)
  let received = from.received
  let state: 'open' | 'done' = 'open'
  let hashed: Hashed | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let synced = received
  let syncing: Promise<void> = Promise.resolve()

  /** The hash so far; `isLarge` says what one is to become that begins. */
  function hashSoFar(algorithm: DigestAlgorithm, isLarge: boolean): Hashed {
    if (hashed && hashed.algorithm !== algorithm) forgetHash()
    hashed ??=
      isLarge || received > 0
        ? { algorithm, following: hashes.follow(file, algorithm) }
        : { algorithm, hash: createHash(algorithm) }
    return hashed
  }

  function forgetHash(): void {
    if (hashed && 'following' in hashed) hashed.following.drop()
    hashed = undefined
  }

  async function digestSoFar(algorithm: DigestAlgorithm): Promise<string> {
    const soFar = hashSoFar(algorithm, false)
    if ('following' in soFar) return soFar.following.digest(received)
    return soFar.hash.copy().digest('hex')
  }

  async function receive(
    source: BytesSource,
    algorithm: DigestAlgorithm,
    handle: FileHandle,
  ): Promise<void> {
    const start = received
    let arrived = 0
    let batch: Uint8Array[] = []
    let batched = 0
    let writing: Promise<void> = Promise.resolve()
    const flush = async () => {
      await writing
      await syncAhead()
      const soFar = hashSoFar(algorithm, batched >= BATCH_BYTES)
      if ('hash' in soFar) for (const chunk of batch) soFar.hash.update(chunk)
      writing = writeAll(handle, batch, received).then((bytes) => {
        received += bytes
        if ('following' in soFar) soFar.following.reach(received)
      })
      // Its failure is met before the next one or at the end; until then it must not count as unhandled.
      writing.catch(() => undefined)
      batch = []
      batched = 0
    }
    try {
      for await (const come of source) {
        for (const chunk of come instanceof Uint8Array ? [come] : come) {
          batch.push(chunk)
          arrived += chunk.length
          batched += chunk.length
          if (batched >= BATCH_BYTES) await flush()
        }
      }
    } finally {
      try {
        await flush()
        await writing
      } finally {
        if (received - start !== arrived) {
          // The hash is ahead of the file.
          forgetHash()
          await handle.truncate(received)
        }
      }
    }
  }

  /** Goes on when the request that it began with is over, and when the next one has come. */
  async function syncAhead(): Promise<void> {
    if (received - synced < FLUSHED_BYTES) return
    await syncing
    synced = received
    syncing = held.use(sync)
    // Likewise.
    syncing.catch(() => undefined)
  }

  async function sync(handle: FileHandle): Promise<void> {
    try {
      await handle.datasync()
    } catch (error) {
      // The system says so once; asked again, it would call durable what is lost.
      await discard()
      throw error
    }
  }

  /** It stays known until its file is gone, or it would be taken up again from that. */
  async function end(work: () => Promise<void>): Promise<void> {
    state = 'done'
    forgetHash()
    held.release()
    try {
      await work()
    } finally {
      done()
    }
  }

  const discard = (): Promise<void> => end(() => rm(file, { force: true }))

  async function placeUntilSeen(target: string, handle: FileHandle, link: () => Promise<boolean>) {
    for (let placings = 0; placings < PLACINGS_MAX; placings++) {
      if (placings > 0) await copyBack(handle)
      // In place of any that is there: whoever reads that reads on.
      await rename(file, target)
      await syncFolder(dirname(target))
      if (await link()) return
    }
    throw new Error(`${target} is removed again and again`)
  }

  /** Whoever removed the blob has taken the name of the file; it is still open. */
  async function copyBack({ fd }: FileHandle): Promise<void> {
    await copyFile(`/proc/self/fd/${fd}`, file)
    await syncFile(file)
  }

  return {
    id,
    get received() {
      return received
    },
    get state() {
      return state
    },

    exclusive(work) {
      const run = queue.then(work)
      queue = run.catch(() => undefined)
      return run
    },

    async append(source, algorithm) {
      const wanted = algorithm ?? hashed?.algorithm ?? 'sha256'
      try {
        await held.use((handle) => receive(source, wanted, handle))
      } catch (error) {
        throw isStorageFull(error) ? new StorageFull({ cause: error }) : error
      }
    },

    async commit(digest, link) {
      if ((await digestSoFar(algorithmOf(digest))) !== hexOf(digest)) return 'mismatch'
      const target = await place(digest)
      await syncing
      await held.use(async (handle) => {
        await sync(handle)
        // From here on bytes at the end would be bytes of the blob.
        await end(async () => {
          try {
            await placeUntilSeen(target, handle, link)
          } catch (error) {
            await rm(file, { force: true }).catch(() => undefined)
            throw error
          }
        })
      })
      return 'committed'
    },

    discard,
  }
}

/** Writes all of it in as few calls as the system takes. */
async function writeAll(
  handle: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let rest = chunks
  let written = 0
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, position + written)
    written += bytesWritten
    rest = after(rest, bytesWritten)
  }
  return written
}

function after(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes
  let index = 0
  for (const chunk of chunks) {
    if (chunk.length > skip) break
    skip -= chunk.length
    index += 1
  }
  const [partial, ...whole] = chunks.slice(index)
  if (!partial) return []
  return skip === 0 ? [partial, ...whole] : [partial.subarray(skip), ...whole]
}
