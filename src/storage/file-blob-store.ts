import { hash, randomUUID } from 'node:crypto'
import { existsSync, type Stats } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { algorithmOf, type Digest, hexOf } from '../lib/digest.ts'
import { isErrno, syncFolder } from '../lib/files.ts'
import { type HeldFile, holdFile } from '../lib/held-file.ts'
import type { BlobReader, BlobStore, BlobUpload, UploadOwner } from './blob-store.ts'
import { openFileUpload } from './file-upload.ts'
import { createHashThread } from './hash-thread.ts'
import { listBlobFiles } from './list-blob-files.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** No client comes back to an upload after so long. */
const ABANDONED_AFTER_MS = 7 * DAY_MS
/** Longer than it takes from a blob's name to the end of its upload's. */
const PLACING_MS_MAX = 10 * 60 * 1000

/**
 * Blobs as files: `blobs/<algorithm>/<first two digits>/<hex>`, uploads as `uploads/<registry>/<repository's hash>-<id>`.
 * The file of an upload is all there is to it, so that it survives a restart without a row. What is to go lies in `removed`,
 * what has wrong bytes in `quarantine/<algorithm>-<hex>`.
 */
export async function createFileBlobStore(
  folder: string,
  options: {
    /** 36 characters, as a guid has. */
    readonly newUploadId?: () => string
    /** Other processes have begun uploads here as well, and go on with them. */
    readonly isShared?: boolean
  } = {},
): Promise<BlobStore> {
  const { newUploadId = randomUUID, isShared = false } = options
  const uploads = new Map<string, BlobUpload>()
  const knownFolders = new Set<string>()
  const shards = new Map<string, HeldFile>()
  const hashes = createHashThread()
  const uploadFolder = (registry: string) => join(folder, 'uploads', encodeURIComponent(registry))

  const uploadFile = (owner: UploadOwner, id: string) => {
    const repository = hash('sha256', owner.repository).slice(0, 16)
    return join(uploadFolder(owner.registry), `${repository}-${id}`)
  }

  const blobFile = (digest: Digest) =>
    join(folder, 'blobs', algorithmOf(digest), hexOf(digest).slice(0, 2), hexOf(digest))

  async function ensureFolder(path: string): Promise<void> {
    if (knownFolders.has(path)) return
    const first = await mkdir(path, { recursive: true, mode: 0o700 })
    // A new folder is durable when the one above it is.
    for (let made = path; first && made.length >= first.length; made = dirname(made)) {
      await syncFolder(dirname(made))
    }
    knownFolders.add(path)
  }

  /** The folders of blobs are synced over and over. */
  async function syncShard(path: string): Promise<void> {
    const held = shards.get(path) ?? holdFile(path, 'r')
    shards.set(path, held)
    await held.use((handle) => handle.sync())
  }

  function track(file: string, id: string, received: number, handle?: FileHandle): BlobUpload {
    const upload = openFileUpload({
      file,
      id,
      received,
      ...(handle && { handle }),
      syncFolder: syncShard,
      hashes,
      async place(digest) {
        await ensureFolder(dirname(blobFile(digest)))
        return blobFile(digest)
      },
      done: () => uploads.delete(file),
    })
    uploads.set(file, upload)
    return upload
  }

  /** All at once, so that no push waits for a folder of its own to become durable. */
  async function ensureShards(path: string): Promise<void> {
    await ensureFolder(path)
    const names = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'))
    const present = new Set(await readdir(path))
    const lacking = names.filter((name) => !present.has(name))
    await Promise.all(lacking.map((name) => mkdir(join(path, name), { mode: 0o700 })))
    if (lacking.length > 0) await syncFolder(path)
    for (const name of names) knownFolders.add(join(path, name))
  }

  let tidiedAt = 0

  /** Whether the file is a blob as well: of an earlier version that ended right after, or will soon. */
  const isPlaced = (file: string, { nlink, ctimeMs }: Stats, isAlone: boolean) =>
    nlink > 1 && !uploads.has(file) && (isAlone || Date.now() - ctimeMs > PLACING_MS_MAX)

  /** Removes what nobody goes on with: at the start, and later with the first upload of a day. */
  async function discardAbandoned(): Promise<void> {
    const now = Date.now()
    if (now - tidiedAt < DAY_MS) return
    const isAlone = !isShared && tidiedAt === 0
    tidiedAt = now
    for (const registry of await readdir(join(folder, 'uploads'))) {
      const path = join(folder, 'uploads', registry)
      for (const name of await readdir(path)) {
        const file = join(path, name)
        const found = await statOf(file)
        if (!found) continue
        const isLeft = isPlaced(file, found, isAlone) || now - found.mtimeMs >= ABANDONED_AFTER_MS
        if (!isLeft) continue
        await uploads.get(file)?.discard()
        await rm(file, { force: true })
      }
    }
  }

  await ensureShards(join(folder, 'blobs', 'sha256'))
  const removed = join(folder, 'removed')
  const quarantined = join(folder, 'quarantine')
  for (const part of [join(folder, 'uploads'), removed, quarantined]) await ensureFolder(part)
  await discardAbandoned()

  return {
    open: (digest) => openReader(blobFile(digest)),

    openUpload: (owner, id) => openReader(uploadFile(owner, id)),

    async begin(owner) {
      await discardAbandoned()
      const id = newUploadId()
      const file = uploadFile(owner, id)
      await ensureFolder(uploadFolder(owner.registry))
      return track(file, id, 0, await open(file, 'wx+', 0o600))
    },

    async resume(owner, id) {
      const file = uploadFile(owner, id)
      const known = uploads.get(file)
      // Of what another process has removed as abandoned this one has not heard.
      if (known?.state === 'open' && !existsSync(file)) await known.discard()
      if (known) return uploads.get(file)
      const found = await statOf(file)
      // Asked again after the wait: two requests must never hold one file by two uploads.
      if (uploads.has(file)) return uploads.get(file)
      // Bytes at the end of a blob would be the end of it.
      if (!found || found.nlink > 1) return undefined
      return track(file, id, found.size)
    },

    async discardUploads(registry) {
      const path = uploadFolder(registry)
      for (const [file, upload] of uploads) {
        // Not in turn: a client that sends slowly must not hold this up. What it still sends goes nowhere.
        if (dirname(file) === path) await upload.discard()
      }
      knownFolders.delete(path)
      await rm(path, { recursive: true, force: true })
    },

    // The system answers that from memory for a file that was just put there: sooner than another thread would.
    has: async (digest) => existsSync(blobFile(digest)),

    list: (after) => listBlobFiles(join(folder, 'blobs'), after),

    async remove(digest) {
      const away = join(removed, randomUUID())
      await rename(blobFile(digest), away).catch(unlessAbsent)
      await rm(join(quarantined, nameOf(digest)), { force: true })
    },

    async reclaim() {
      for (const name of await readdir(removed)) await rm(join(removed, name), { force: true })
    },

    async quarantine(digest, reader) {
      const file = blobFile(digest)
      const found = await statOf(file)
      if (!found || identityOf(found) !== (await reader.identify())) return false
      await rename(file, join(quarantined, nameOf(digest)))
      await syncFolder(quarantined)
      return true
    },
  }
}

async function openReader(path: string): Promise<BlobReader | undefined> {
  const file = await open(path).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  })
  if (!file) return undefined
  return {
    identify: async () => identityOf(await file.stat()),
    read: async (buffer, position) =>
      (await file.read(buffer, 0, buffer.length, position)).bytesRead,
    close: () => file.close(),
  }
}

const identityOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`

const nameOf = (digest: Digest): string => digest.replace(':', '-')

function unlessAbsent(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error
}

async function statOf(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
