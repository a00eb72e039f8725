import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, isDigest } from '../lib/digest.ts'
import { isErrno } from '../lib/files.ts'
import type { StoredBlob } from './blob-store.ts'

/** Lists `<folder>/<algorithm>/<first two digits>/<hex>` in the order of digests, one small folder at a time. */
export async function* listBlobFiles(folder: string, after = ''): AsyncIterable<StoredBlob> {
  for (const algorithm of await namesIn(folder)) {
    for (const shard of await namesIn(join(folder, algorithm))) {
      // All that a shard holds begins with its name.
      if (`${algorithm}:${shard}` < after.slice(0, algorithm.length + 1 + shard.length)) continue
      for (const hex of await namesIn(join(folder, algorithm, shard))) {
        const digest = `${algorithm}:${hex}`
        if (!isDigest(digest) || digest <= after) continue
        const blob = await describe(join(folder, algorithm, shard, hex), digest)
        if (blob) yield blob
      }
    }
  }
}

async function describe(file: string, digest: Digest): Promise<StoredBlob | undefined> {
  try {
    const { size, ctime } = await stat(file)
    // The time of the last bytes may be long before that of the name.
    return { digest, size, storedAt: ctime }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).toSorted()
}
