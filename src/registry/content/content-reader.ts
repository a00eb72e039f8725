import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Digest } from '../../lib/digest.ts'
import { createCommittedCache } from '../../storage/committed-cache.ts'
import {
  ATTRIBUTE_COLUMNS,
  type Flagged,
  type Readable,
  type WithAttributes,
  withAttributes,
  withReadEnabled,
} from './attributes.ts'

export interface StoredManifest {
  readonly digest: Digest
  readonly mediaType: string
  readonly content: Uint8Array
}

/** A manifest as somebody asks for it: by a digest, or by a tag, whose attributes count then too. */
export interface FoundManifest extends StoredManifest {
  /** Whether it may be pulled so: it, its repository and the tag may all be read. */
  readonly readEnabled: boolean
}

export interface FoundBlob {
  /** In bytes. */
  readonly size: number
  /** Whether its repository may be read. */
  readonly readEnabled: boolean
}

export interface RepositoryRow extends WithAttributes {
  readonly name: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly manifestCount: number
  readonly tagCount: number
}

export interface ManifestRow extends WithAttributes {
  readonly digest: Digest
  readonly mediaType: string
  readonly configMediaType: string | null
  readonly architecture: string | null
  readonly os: string | null
  readonly imageSize: number
  readonly createdAt: string
  readonly updatedAt: string
}

export interface TagRow extends WithAttributes {
  readonly name: string
  readonly digest: Digest
  readonly createdAt: string
  readonly updatedAt: string
}

export type ListOrder = 'name' | 'timeasc' | 'timedesc'

/** A page of a list: at most `n` rows after `last`, which is the key of the row before. */
export interface ListPage {
  readonly n: number
  readonly last: string
  readonly order?: ListOrder
  /** Only tags of this manifest. */
  readonly digest?: Digest
}

/**
 * Reads what registries hold, by prepared statements and without waiting. `registry` is the uid. Lists (`repositories`,
 * `manifests`, `tags`, `tagNames`) leave out what may not be listed.
 */
export interface ContentReader {
  hasRepository(registry: string, repository: string): boolean
  repository(registry: string, repository: string): RepositoryRow | undefined
  /** Whether a repository may be pushed to. One that is not there yet may. */
  isWritable(registry: string, repository: string): boolean
  /** Whether a repository may be pulled from. One that is not there yet may. */
  isReadable(registry: string, repository: string): boolean
  repositories(registry: string, page: ListPage): readonly string[]
  /** The size of a blob in bytes; undefined where the repository does not have it, or nobody has it whole. */
  blobSize(registry: string, repository: string, digest: Digest): number | undefined
  /** The same for those who want its bytes. */
  blob(registry: string, repository: string, digest: Digest): FoundBlob | undefined
  /** A blob that the repository has and whose bytes at home are lost, until they are mended or pushed again. */
  damagedBlob(registry: string, repository: string, digest: Digest): FoundBlob | undefined
  /** Whether the garbage collector will look if the repository needs this blob. */
  isUnderReview(registry: string, repository: string, digest: Digest): boolean
  manifestByTag(registry: string, repository: string, tag: string): FoundManifest | undefined
  manifestByDigest(registry: string, repository: string, digest: Digest): FoundManifest | undefined
  manifest(registry: string, repository: string, digest: Digest): ManifestRow | undefined
  manifests(registry: string, repository: string, page: ListPage): readonly ManifestRow[]
  /** Repositories that have a blob, at most `limit` of them, in no order. */
  repositoriesWithBlob(registry: string, digest: Digest, limit: number): readonly string[]
  /** Digests of manifests that name this one as their subject, in their order; of one artifact type where it is given. */
  referrers(
    registry: string,
    repository: string,
    subject: Digest,
    page: ListPage & { readonly artifactType?: string },
  ): readonly Digest[]
  tag(registry: string, repository: string, tag: string): TagRow | undefined
  tags(registry: string, repository: string, page: ListPage): readonly TagRow[]
  tagNames(registry: string, repository: string, page: ListPage): readonly string[]
  /** The names of all tags that a manifest has, also of those that lists do not show. */
  tagsOf(registry: string, repository: string, digest: Digest): readonly string[]
  /** The bytes of all blobs of a registry, each counted once. */
  storedBytes(registry: string): number
  /** The uids of all registries that hold something. */
  registries(): readonly string[]
}

const STORED = 'm.digest, m.media_type AS mediaType, m.content'
const MANIFEST = `digest, media_type AS mediaType, config_media_type AS configMediaType, architecture, os,
  image_size AS imageSize, created_at AS createdAt, updated_at AS updatedAt, ${ATTRIBUTE_COLUMNS}`
const TAG = `name, digest, created_at AS createdAt, updated_at AS updatedAt, ${ATTRIBUTE_COLUMNS}`
const weigh = (manifest: FoundManifest | undefined): number => manifest?.content.length ?? 0
const WITHIN = 'registry = ? AND repository = ?'
const IS_WHOLE = 'NOT EXISTS (SELECT 1 FROM registry_damaged_blobs d WHERE d.digest = b.digest)'

/** Reads on the pull path: prepared statements on a connection that sees what is committed, and a cache that is as exact. */
export function createContentReader(database: DatabaseSync): ContentReader {
  const cache = createCommittedCache(database)
  const prepared = new Map<string, StatementSync>()
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql)
    if (known) return known
    const made = database.prepare(sql)
    prepared.set(sql, made)
    return made
  }
  // The gate for rows: each statement's columns are written next to the type that it returns.
  const one = <T>(sql: string) => {
    const made = statement(sql)
    return (...values: SQLInputValue[]) => made.get(...values) as T | undefined
  }
  const many = <T>(sql: string, ...values: SQLInputValue[]) => statement(sql).all(...values) as T[]

  /** Keyset paging; by time, the name decides among equals. */
  function list<T>(
    columns: string,
    table: string,
    key: string,
    [registry, repository]: readonly [string, string],
    { n, last, order = 'name', digest }: ListPage,
  ): T[] {
    const listed = `${WITHIN} AND list_enabled = 1`
    const filter = digest ? `${listed} AND digest = ?` : listed
    const values = digest ? [registry, repository, digest] : [registry, repository]
    const select = `SELECT ${columns} FROM ${table} WHERE ${filter}`
    if (order === 'name') {
      return many<T>(`${select} AND ${key} > ? ORDER BY ${key} LIMIT ?`, ...values, last, n)
    }
    const direction = order === 'timedesc' ? 'DESC' : 'ASC'
    const sorted = `ORDER BY updated_at ${direction}, ${key} ${direction} LIMIT ?`
    if (last === '') return many<T>(`${select} ${sorted}`, ...values, n)
    const after = `(updated_at, ${key}) ${order === 'timedesc' ? '<' : '>'} (
      SELECT updated_at, ${key} FROM ${table} WHERE ${WITHIN} AND ${key} = ?)`
    return many<T>(`${select} AND ${after} ${sorted}`, ...values, registry, repository, last, n)
  }

  const hasRepository = one('SELECT 1 FROM registry_repositories WHERE registry = ? AND name = ?')
  const isLocked = one(
    'SELECT 1 FROM registry_repositories WHERE registry = ? AND name = ? AND write_enabled = 0',
  )
  const isHidden = one(
    'SELECT 1 FROM registry_repositories WHERE registry = ? AND name = ? AND read_enabled = 0',
  )
  const repository = one<Flagged<RepositoryRow>>(
    `SELECT name, created_at AS createdAt, updated_at AS updatedAt, ${ATTRIBUTE_COLUMNS},
      ifnull(c.manifests, 0) AS manifestCount, ifnull(c.tags, 0) AS tagCount
    FROM registry_repositories r
      LEFT JOIN registry_repository_counts c ON c.registry = r.registry AND c.repository = r.name
    WHERE r.registry = ? AND r.name = ?`,
  )
  const blobSize = one<{ size: number }>(
    `SELECT size FROM registry_blob_links b WHERE ${WITHIN} AND digest = ? AND ${IS_WHOLE}`,
  )
  // Blobs come before the first manifest, and with that the repository.
  const BLOB = `SELECT b.size, ifnull(r.read_enabled, 1) AS readEnabled FROM registry_blob_links b
      LEFT JOIN registry_repositories r ON r.registry = b.registry AND r.name = b.repository
    WHERE b.registry = ? AND b.repository = ? AND b.digest = ?`
  const blob = one<Readable<FoundBlob>>(`${BLOB} AND ${IS_WHOLE}`)
  const damaged = one<Readable<FoundBlob>>(`${BLOB} AND NOT ${IS_WHOLE}`)
  const review = one(`SELECT 1 FROM registry_blob_reviews WHERE ${WITHIN} AND digest = ?`)
  const byTag = one<Readable<FoundManifest>>(
    `SELECT ${STORED}, (t.read_enabled AND m.read_enabled AND r.read_enabled) AS readEnabled
    FROM registry_tags t
      JOIN registry_manifests m ON m.registry = t.registry AND m.repository = t.repository AND m.digest = t.digest
      JOIN registry_repositories r ON r.registry = t.registry AND r.name = t.repository
    WHERE t.registry = ? AND t.repository = ? AND t.name = ?`,
  )
  const byDigest = one<Readable<FoundManifest>>(
    `SELECT ${STORED}, (m.read_enabled AND r.read_enabled) AS readEnabled
    FROM registry_manifests m
      JOIN registry_repositories r ON r.registry = m.registry AND r.name = m.repository
    WHERE m.registry = ? AND m.repository = ? AND m.digest = ?`,
  )
  const manifest = one<Flagged<ManifestRow>>(
    `SELECT ${MANIFEST} FROM registry_manifests WHERE ${WITHIN} AND digest = ?`,
  )
  const tag = one<Flagged<TagRow>>(`SELECT ${TAG} FROM registry_tags WHERE ${WITHIN} AND name = ?`)

  const storedBytes = one<{ bytes: number }>(
    'SELECT bytes FROM registry_stored_bytes WHERE registry = ?',
  )

  return {
    hasRepository: (registry, name) => hasRepository(registry, name) !== undefined,
    isWritable: (registry, name) => isLocked(registry, name) === undefined,
    isReadable: (registry, name) => isHidden(registry, name) === undefined,
    repository: (registry, name) => shown(repository(registry, name)),
    repositories: (registry, { n, last }) =>
      many<{ name: string }>(
        `SELECT name FROM registry_repositories
        WHERE registry = ? AND list_enabled = 1 AND name > ? ORDER BY name LIMIT ?`,
        registry,
        last,
        n,
      ).map((row) => row.name),
    blobSize: (registry, name, digest) =>
      cache.get(`s ${registry} ${name} ${digest}`, () => blobSize(registry, name, digest))?.size,
    blob: (registry, name, digest) =>
      cache.get(`b ${registry} ${name} ${digest}`, () => found(blob(registry, name, digest))),
    damagedBlob: (registry, name, digest) => found(damaged(registry, name, digest)),
    isUnderReview: (registry, name, digest) =>
      cache.get(
        `r ${registry} ${name} ${digest}`,
        () => review(registry, name, digest) !== undefined,
      ),
    manifestByTag: (registry, name, tagName) =>
      cache.get(
        `t ${registry} ${name} ${tagName}`,
        () => found(byTag(registry, name, tagName)),
        weigh,
      ),
    manifestByDigest: (registry, name, digest) =>
      cache.get(
        `m ${registry} ${name} ${digest}`,
        () => found(byDigest(registry, name, digest)),
        weigh,
      ),
    manifest: (registry, name, digest) => shown(manifest(registry, name, digest)),
    manifests: (registry, name, page) =>
      list<Flagged<ManifestRow>>(
        MANIFEST,
        'registry_manifests',
        'digest',
        [registry, name],
        page,
      ).map(withAttributes),
    repositoriesWithBlob: (registry, digest, limit) =>
      many<{ repository: string }>(
        // The plus keeps the planner from walking through all blobs of the registry.
        'SELECT repository FROM registry_blob_links WHERE digest = ? AND +registry = ? LIMIT ?',
        digest,
        registry,
        limit,
      ).map((row) => row.repository),
    referrers: (registry, name, subject, { n, last, artifactType }) =>
      many<{ digest: Digest }>(
        // The pluses keep the planner from walking through all manifests of the repository in the order asked for.
        `SELECT digest FROM registry_manifests WHERE ${WITHIN} AND subject = ? AND +digest > ?
        ${artifactType === undefined ? '' : 'AND artifact_type = ?'} ORDER BY +digest LIMIT ?`,
        ...[registry, name, subject, last],
        ...(artifactType === undefined ? [] : [artifactType]),
        n,
      ).map((row) => row.digest),
    tag: (registry, name, tagName) => shown(tag(registry, name, tagName)),
    tags: (registry, name, page) =>
      list<Flagged<TagRow>>(TAG, 'registry_tags', 'name', [registry, name], page).map(
        withAttributes,
      ),
    tagNames: (registry, name, page) =>
      list<{ name: string }>('name', 'registry_tags', 'name', [registry, name], page).map(
        (row) => row.name,
      ),
    tagsOf: (registry, name, digest) =>
      many<{ name: string }>(
        `SELECT name FROM registry_tags WHERE ${WITHIN} AND digest = ? ORDER BY name`,
        registry,
        name,
        digest,
      ).map((row) => row.name),
    storedBytes: (registry) => storedBytes(registry)?.bytes ?? 0,
    registries: () =>
      many<{ registry: string }>(
        `SELECT registry FROM registry_repositories UNION SELECT registry FROM registry_blob_links
          UNION SELECT registry FROM registry_deleted_manifests`,
      ).map((row) => row.registry),
  }
}

const shown = <T extends Parameters<typeof withAttributes>[0]>(row: T | undefined) =>
  row && withAttributes(row)

const found = <T extends { readonly readEnabled: number }>(row: T | undefined) =>
  row && withReadEnabled(row)
