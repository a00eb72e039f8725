import type { Digest } from '../../lib/digest.ts'
import type { BlobReader, BlobStore } from '../../storage/blob-store.ts'
import { HOME } from './home.ts'

/** The blob stores of the regions: one for all homes, one more for each region that registries are replicated to. */
export interface RegionStores {
  readonly home: BlobStore
  /** The store of a region's replicas, made where it is not yet. */
  replica(region: string): Promise<BlobStore>
  /**
   * A blob as a region has it (`home`, or one of replicas), or as the home does where the region lacks it or cannot be
   * read; undefined where neither has it. The caller closes the reader.
   */
  open(region: string, digest: Digest): Promise<OpenedBlob | undefined>
}

export interface OpenedBlob {
  readonly reader: BlobReader
  /** Whose bytes it reads. */
  readonly from: string
}

/**
 * @param replica opens a region's store, and makes it where it is not yet
 * @param report is told why a region's store cannot be read
 */
export function createRegionStores(
  home: BlobStore,
  replica: (region: string) => Promise<BlobStore>,
  report: (region: string, error: unknown) => void,
): RegionStores {
  async function openInReplica(region: string, digest: Digest): Promise<BlobReader | undefined> {
    try {
      return await (await replica(region)).open(digest)
    } catch (error) {
      report(region, error)
      return undefined
    }
  }

  return {
    home,
    replica,
    async open(region, digest) {
      const near = region === HOME ? undefined : await openInReplica(region, digest)
      if (near) return { reader: near, from: region }
      const reader = await home.open(digest)
      return reader && { reader, from: HOME }
    },
  }
}
