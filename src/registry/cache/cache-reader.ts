import type { DatabaseSync } from 'node:sqlite'
import type { Digest } from '../../lib/digest.ts'
import type { StoredManifest } from '../content/content-reader.ts'
import { type Descriptor, parseManifest } from '../manifests/manifest.ts'

/** What is known of a tag that came from elsewhere. */
export interface UpstreamTag {
  /** Where it led then. A tag that leads elsewhere now was pushed since, and is nobody's but the pusher's. */
  readonly digest: Digest
  /** ISO 8601. */
  readonly checkedAt: string
}

/** Reads what the cache needs to know of content, by prepared statements and without waiting. */
export interface CacheReader {
  upstreamTag(registry: string, repository: string, tag: string): UpstreamTag | undefined
  /** What the manifests of a repository say of a blob; undefined where none of them names it. */
  namedBlob(registry: string, repository: string, digest: Digest): Descriptor | undefined
}

export function createCacheReader(database: DatabaseSync): CacheReader {
  const tag = database.prepare(
    `SELECT digest, checked_at AS checkedAt FROM registry_upstream_tags
    WHERE registry = ? AND repository = ? AND name = ?`,
  )
  const naming = database.prepare(
    `SELECT m.digest, m.media_type AS mediaType, m.content FROM registry_manifest_references r
      JOIN registry_manifests m
        ON m.registry = r.registry AND m.repository = r.repository AND m.digest = r.digest
    WHERE r.registry = ? AND r.repository = ? AND r.child = ? AND r.child_kind = 'blob' LIMIT 1`,
  )
  return {
    upstreamTag: (registry, repository, name) =>
      tag.get(registry, repository, name) as UpstreamTag | undefined,
    namedBlob(registry, repository, digest) {
      const manifest = naming.get(registry, repository, digest) as StoredManifest | undefined
      if (!manifest) return undefined
      const { blobs } = parseManifest(manifest.content, manifest.mediaType)
      return blobs.find((blob) => blob.digest === digest)
    },
  }
}
