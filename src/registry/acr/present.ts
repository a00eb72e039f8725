import type { Digest } from '../../lib/digest.ts'
import type { ManifestRow, RepositoryRow, TagRow } from '../content/content-reader.ts'

// The members and their order are those that azure-sdk-for-js recorded of the service for container-registry 2021-07-01.

export const presentRepository = (row: RepositoryRow) => ({
  createdTime: row.createdAt,
  lastUpdateTime: row.updatedAt,
  manifestCount: row.manifestCount,
  tagCount: row.tagCount,
  changeableAttributes: row.attributes,
})

export const presentTag = (row: TagRow) => ({
  name: row.name,
  digest: row.digest,
  createdTime: row.createdAt,
  lastUpdateTime: row.updatedAt,
  signed: false,
  changeableAttributes: row.attributes,
})

/** What is said of a manifest, there or deleted. */
export const describeManifest = (
  row: Omit<ManifestRow, 'attributes'>,
  tags: readonly string[],
) => ({
  digest: row.digest,
  imageSize: row.imageSize,
  createdTime: row.createdAt,
  lastUpdateTime: row.updatedAt,
  ...(row.architecture !== null && { architecture: row.architecture }),
  ...(row.os !== null && { os: row.os }),
  mediaType: row.mediaType,
  ...(row.configMediaType !== null && { configMediaType: row.configMediaType }),
  ...(tags.length > 0 && { tags }),
})

/** `tags` are all that it has: who cleans up takes a manifest without any for one that nobody wants. */
export const presentManifest = (row: ManifestRow, tags: readonly string[]) => ({
  ...describeManifest(row, tags),
  changeableAttributes: row.attributes,
})

/** What an index says of the manifests that it names; shown of one manifest, not in lists. */
export interface PresentedReference {
  readonly digest: Digest
  readonly architecture?: string
  readonly os?: string
}
