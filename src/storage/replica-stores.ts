import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../lib/files.ts'
import type { BlobStore } from './blob-store.ts'
import { createFileBlobStore } from './file-blob-store.ts'

/** The blobs of further regions: a store for each. */
export interface ReplicaStores {
  /** Opens the store of a region's replicas, and makes it where it is not yet. */
  store(region: string): Promise<BlobStore>
  /** Regions that have one, also those that no registry is replicated to any more. */
  regions(): Promise<readonly string[]>
}

/** Each in a folder of its own below `folder`. */
export function createReplicaStores(
  folder: string,
  /** Whether other processes copy into them as well. */
  options: { readonly isShared?: boolean } = {},
): ReplicaStores {
  const stores = new Map<string, Promise<BlobStore>>()

  return {
    store(region) {
      const known = stores.get(region)
      if (known) return known
      const making = createFileBlobStore(join(folder, region), options)
      stores.set(region, making)
      // A disk that is not there now may be there later.
      making.catch(() => stores.delete(region))
      return making
    },

    async regions() {
      try {
        return (await readdir(folder)).toSorted()
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return []
        throw error
      }
    },
  }
}
