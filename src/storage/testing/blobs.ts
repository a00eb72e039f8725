import { type Digest, digestOf } from '../../lib/digest.ts'
import type { BlobStore, UploadOwner } from '../blob-store.ts'

export const OWNER: UploadOwner = { registry: 'uid-1', repository: 'team/app' }

/** For commits: nobody takes the blob away before it is seen. */
export const seen = async (): Promise<boolean> => true

export async function* inChunks(bytes: Buffer, size = 65_536) {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

export async function* failingAfter(bytes: Buffer) {
  yield* inChunks(bytes)
  throw new Error('the client went away')
}

/** Stores a blob. */
export async function put(store: BlobStore, bytes: Buffer, isSeen = seen): Promise<Digest> {
  const upload = await store.begin(OWNER)
  await upload.append(inChunks(bytes))
  await upload.commit(digestOf(bytes), isSeen)
  return digestOf(bytes)
}

/** All bytes of a blob; undefined where there is none. */
export async function readAll(store: BlobStore, digest: Digest): Promise<Buffer | undefined> {
  const reader = await store.open(digest)
  if (!reader) return undefined
  const parts: Buffer[] = []
  try {
    for (let position = 0; ; ) {
      const part = Buffer.alloc(1 << 20)
      const read = await reader.read(part, position)
      if (read === 0) return Buffer.concat(parts)
      parts.push(part.subarray(0, read))
      position += read
    }
  } finally {
    await reader.close()
  }
}
