import type { Generated } from 'kysely'

/** What may be done with a repository, a manifest or a tag: 1 for yes, as everything begins, 0 for no. */
export interface AttributeColumns {
  delete_enabled: Generated<0 | 1>
  write_enabled: Generated<0 | 1>
  read_enabled: Generated<0 | 1>
  list_enabled: Generated<0 | 1>
}

/**
 * What registries hold. `registry` is always the registry's uid, never its name; timestamps are ISO 8601.
 * Names and tags sort by their bytes: paging depends on it.
 */
export interface RegistryTables {
  registry_repositories: {
    registry: string
    name: string
    created_at: string
    updated_at: string
  } & AttributeColumns
  registry_manifests: {
    registry: string
    repository: string
    digest: string
    media_type: string
    /** The media type of the config, where the manifest has one. */
    config_media_type: string | null
    artifact_type: string | null
    /** Digest of the manifest it refers to, present or not. */
    subject: string | null
    architecture: string | null
    os: string | null
    /** The manifest and all blobs it names, in bytes. */
    image_size: number
    content: Uint8Array
    created_at: string
    updated_at: string
  } & AttributeColumns
  /** What a manifest is made of: blobs and, for an index, manifests. */
  registry_manifest_references: {
    registry: string
    repository: string
    digest: string
    child: string
    child_kind: 'blob' | 'manifest'
  }
  registry_tags: {
    registry: string
    repository: string
    name: string
    digest: string
    created_at: string
    updated_at: string
  } & AttributeColumns
  /** A blob is stored once for all and seen only in the repositories that it is linked into. */
  registry_blob_links: {
    registry: string
    repository: string
    digest: string
    size: number
    created_at: string
  }
  /** The further regions of registries; the home region has none of these. */
  registry_replicas: {
    registry: string
    region: string
    /** Since when nothing waited to be copied, the last time that nothing did. */
    in_step_since: string
  }
  /** Blobs that a region is still to get. */
  registry_replica_queue: {
    registry: string
    region: string
    digest: string
    size: number
    queued_at: string
    /** Not before, after a copy that failed. */
    due_at: string
    attempts: number
    last_error: string | null
  }
  /** Tags that came from elsewhere by a cache rule: where they led then, and when that was last looked after. */
  registry_upstream_tags: {
    registry: string
    repository: string
    name: string
    digest: string
    checked_at: string
  }
}
