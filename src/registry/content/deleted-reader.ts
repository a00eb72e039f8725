import type { DatabaseSync } from 'node:sqlite'
import type { ManifestRow } from './content-reader.ts'

/** A page of what was deleted, in the order of deletion: at most `n` after the one with the id `last`. */
export interface DeletedPage {
  readonly n: number
  readonly last: number
}

export interface DeletedManifestRow extends Omit<ManifestRow, 'attributes'> {
  readonly id: number
  readonly deletedAt: string
}

export interface DeletedTagRow {
  readonly id: number
  readonly name: string
  readonly digest: string
  readonly deletedAt: string
}

/** Reads what can be restored. `registry` is the uid. */
export interface DeletedReader {
  /** Names of repositories that are gone and of which something can be restored. */
  repositories(
    registry: string,
    page: { readonly n: number; readonly last: string },
  ): readonly string[]
  manifests(registry: string, repository: string, page: DeletedPage): readonly DeletedManifestRow[]
  tags(registry: string, repository: string, page: DeletedPage): readonly DeletedTagRow[]
  /** The deleted tags of a manifest. */
  tagsOf(registry: string, repository: string, digest: string): readonly string[]
}

export function createDeletedReader(database: DatabaseSync): DeletedReader {
  const repositories = database.prepare(
    `SELECT DISTINCT repository AS name FROM registry_deleted_manifests d
    WHERE registry = ? AND repository > ? AND NOT EXISTS (
      SELECT 1 FROM registry_repositories r WHERE r.registry = d.registry AND r.name = d.repository)
    ORDER BY repository LIMIT ?`,
  )
  const manifests = database.prepare(
    `SELECT id, digest, media_type AS mediaType, config_media_type AS configMediaType, architecture, os,
      image_size AS imageSize, created_at AS createdAt, updated_at AS updatedAt, deleted_at AS deletedAt
    FROM registry_deleted_manifests WHERE registry = ? AND repository = ? AND id > ? ORDER BY id LIMIT ?`,
  )
  const tags = database.prepare(
    `SELECT id, name, digest, deleted_at AS deletedAt FROM registry_deleted_tags
    WHERE registry = ? AND repository = ? AND id > ? ORDER BY id LIMIT ?`,
  )
  const tagsOf = database.prepare(
    `SELECT DISTINCT name FROM registry_deleted_tags
    WHERE registry = ? AND repository = ? AND digest = ? ORDER BY name`,
  )
  // The gate for rows: the columns stand in the statements above.
  return {
    repositories: (registry, { n, last }) =>
      (repositories.all(registry, last, n) as { name: string }[]).map(({ name }) => name),
    manifests: (registry, repository, { n, last }) =>
      manifests.all(registry, repository, last, n) as unknown as DeletedManifestRow[],
    tags: (registry, repository, { n, last }) =>
      tags.all(registry, repository, last, n) as unknown as DeletedTagRow[],
    tagsOf: (registry, repository, digest) =>
      (tagsOf.all(registry, repository, digest) as { name: string }[]).map(({ name }) => name),
  }
}
