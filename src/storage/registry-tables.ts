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
  /** Blobs of repositories that may have lost, or never had, a manifest that needs them: to be looked at after a grace. */
  registry_blob_reviews: {
    registry: string
    repository: string
    digest: string
    reason: ReviewReason
    since: string
  }
  /** Blobs whose files go after a grace, unless a repository has them by then. */
  registry_blob_removals: {
    digest: string
    size: number
    reason: RemovalReason
    since: string
  }
  /** Blobs that repositories have and the home has not whole, until they are mended or somebody pushes them again. */
  registry_damaged_blobs: {
    digest: string
    /** `mismatch`: its file has other bytes and was set aside; `missing`: there was none. */
    kind: 'mismatch' | 'missing'
    found_at: string
  }
  /** Blobs that a region of replicas has not whole and is to get again. */
  registry_damaged_copies: {
    region: string
    digest: string
    /** As of `registry_damaged_blobs`. */
    kind: 'mismatch' | 'missing'
    found_at: string
  }
  /** What was damaged and was mended from where it was whole, until the next scrub begins. */
  registry_repaired_blobs: {
    /** `home`, or the region of replicas. */
    region: string
    digest: string
    kind: 'mismatch' | 'missing'
    found_at: string
    repaired_at: string
  }
  /** Manifests without a tag, and since when. */
  registry_untagged_manifests: {
    registry: string
    repository: string
    digest: string
    since: string
  }
  /** Manifests that can be restored. What they refer to stays in `registry_manifest_references`. */
  registry_deleted_manifests: {
    /** In the order of deletion. */
    id: Generated<number>
    deleted_at: string
  } & RegistryTables['registry_manifests']
  registry_deleted_tags: {
    /** In the order of deletion. */
    id: Generated<number>
    registry: string
    repository: string
    name: string
    digest: string
    deleted_at: string
  } & AttributeColumns
  /** How far the one scrub has come. */
  registry_scrubs: {
    id: 1
    started_at: string
    /** The last digest that was read; after the last one `rows:` and the last one that was looked for. */
    position: string
    blobs: number
    bytes: number
    /** At the beginning. */
    all_blobs: number
    all_bytes: number
    finished_at: string | null
    /** Regions whose store could not be read, with a space between. */
    unread: Generated<string>
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
  /** How many rows there are of a repository, kept by triggers; where there never were any, no row. */
  registry_repository_counts: {
    registry: string
    repository: string
    manifests: number
    tags: number
  }
  /** The bytes of all blobs of a registry, each counted once, kept by triggers; where there never were any, no row. */
  registry_stored_bytes: {
    registry: string
    bytes: number
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

/** `unused`: no manifest has needed it yet; `manifest-deleted`: one that did is gone. */
export type ReviewReason = 'unused' | 'manifest-deleted'
/** What took the last repository from it; `no-owner`: no row has told of it. */
export type RemovalReason =
  | ReviewReason
  | 'blob-deleted'
  | 'repository-deleted'
  | 'registry-deleted'
  | 'no-owner'
