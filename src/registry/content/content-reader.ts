import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Digest } from '../../lib/digest.ts'

export interface StoredManifest {
  readonly digest: Digest
  readonly mediaType: string
  readonly content: Uint8Array
}

export interface RepositoryRow {
  readonly name: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly manifestCount: number
  readonly tagCount: number
}

export interface ManifestRow {
  readonly digest: Digest
  readonly mediaType: string
  readonly configMediaType: string | null
  readonly architecture: string | null
  readonly os: string | null
  readonly imageSize: number
  readonly createdAt: string
  readonly updatedAt: string
}

export interface TagRow {
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

/** Reads what registries hold, by prepared statements and without waiting. `registry` is the uid. */
export interface ContentReader {
  hasRepository(registry: string, repository: string): boolean
  repository(registry: string, repository: string): RepositoryRow | undefined
  repositories(registry: string, page: ListPage): readonly string[]
  /** The size of a blob in bytes; undefined where the repository does not have it, or nobody has it whole. */
  blobSize(registry: string, repository: string, digest: Digest): number | undefined
  /** Whether the repository has a blob whose bytes are lost until somebody pushes them again. */
  isDamaged(registry: string, repository: string, digest: Digest): boolean
  /** Whether the garbage collector will look if the repository needs this blob. */
  isUnderReview(registry: string, repository: string, digest: Digest): boolean
  manifestByTag(registry: string, repository: string, tag: string): StoredManifest | undefined
  manifestByDigest(registry: string, repository: string, digest: Digest): StoredManifest | undefined
  manifest(registry: string, repository: string, digest: Digest): ManifestRow | undefined
  manifests(registry: string, repository: string, page: ListPage): readonly ManifestRow[]
  /** Manifests that name this one as their subject. */
  referrers(registry: string, repository: string, subject: Digest): readonly StoredManifest[]
  tag(registry: string, repository: string, tag: string): TagRow | undefined
  tags(registry: string, repository: string, page: ListPage): readonly TagRow[]
  tagNames(registry: string, repository: string, page: ListPage): readonly string[]
  /** The bytes of all blobs of a registry, each counted once. */
  storedBytes(registry: string): number
  /** The uids of all registries that hold something. */
  registries(): readonly string[]
}

const STORED = 'm.digest, m.media_type AS mediaType, m.content'
const MANIFEST = `digest, media_type AS mediaType, config_media_type AS configMediaType, architecture, os,
  image_size AS imageSize, created_at AS createdAt, updated_at AS updatedAt`
const TAG = 'name, digest, created_at AS createdAt, updated_at AS updatedAt'
const WITHIN = 'registry = ? AND repository = ?'

/** Reads on the pull path: prepared statements on a connection that sees what is committed. */
export function createContentReader(database: DatabaseSync): ContentReader {
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
    const filter = digest ? `${WITHIN} AND digest = ?` : WITHIN
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
  const repository = one<RepositoryRow>(
    `SELECT name, created_at AS createdAt, updated_at AS updatedAt,
      (SELECT count(*) FROM registry_manifests m WHERE m.registry = r.registry AND m.repository = r.name) AS manifestCount,
      (SELECT count(*) FROM registry_tags t WHERE t.registry = r.registry AND t.repository = r.name) AS tagCount
    FROM registry_repositories r WHERE registry = ? AND name = ?`,
  )
  const blobSize = one<{ size: number }>(
    `SELECT size FROM registry_blob_links l WHERE ${WITHIN} AND digest = ?
      AND NOT EXISTS (SELECT 1 FROM registry_damaged_blobs d WHERE d.digest = l.digest)`,
  )
  const damaged = one(
    `SELECT 1 FROM registry_blob_links JOIN registry_damaged_blobs USING (digest) WHERE ${WITHIN} AND digest = ?`,
  )
  const review = one(`SELECT 1 FROM registry_blob_reviews WHERE ${WITHIN} AND digest = ?`)
  const byTag = one<StoredManifest>(
    `SELECT ${STORED} FROM registry_tags t JOIN registry_manifests m
      ON m.registry = t.registry AND m.repository = t.repository AND m.digest = t.digest
    WHERE t.registry = ? AND t.repository = ? AND t.name = ?`,
  )
  const byDigest = one<StoredManifest>(
    `SELECT ${STORED} FROM registry_manifests m WHERE ${WITHIN} AND digest = ?`,
  )
  const manifest = one<ManifestRow>(
    `SELECT ${MANIFEST} FROM registry_manifests WHERE ${WITHIN} AND digest = ?`,
  )
  const tag = one<TagRow>(`SELECT ${TAG} FROM registry_tags WHERE ${WITHIN} AND name = ?`)

  const storedBytes = one<{ bytes: number | null }>(
    'SELECT sum(size) AS bytes FROM (SELECT DISTINCT digest, size FROM registry_blob_links WHERE registry = ?)',
  )

  return {
    hasRepository: (registry, name) => hasRepository(registry, name) !== undefined,
    repository: (registry, name) => repository(registry, name),
    repositories: (registry, { n, last }) =>
      many<{ name: string }>(
        'SELECT name FROM registry_repositories WHERE registry = ? AND name > ? ORDER BY name LIMIT ?',
        registry,
        last,
        n,
      ).map((row) => row.name),
    blobSize: (registry, name, digest) => blobSize(registry, name, digest)?.size,
    isDamaged: (registry, name, digest) => damaged(registry, name, digest) !== undefined,
    isUnderReview: (registry, name, digest) => review(registry, name, digest) !== undefined,
    manifestByTag: (registry, name, tagName) => byTag(registry, name, tagName),
    manifestByDigest: (registry, name, digest) => byDigest(registry, name, digest),
    manifest: (registry, name, digest) => manifest(registry, name, digest),
    manifests: (registry, name, page) =>
      list<ManifestRow>(MANIFEST, 'registry_manifests', 'digest', [registry, name], page),
    referrers: (registry, name, subject) =>
      many<StoredManifest>(
        `SELECT ${STORED} FROM registry_manifests m WHERE ${WITHIN} AND subject = ? ORDER BY digest`,
        registry,
        name,
        subject,
      ),
    tag: (registry, name, tagName) => tag(registry, name, tagName),
    tags: (registry, name, page) =>
      list<TagRow>(TAG, 'registry_tags', 'name', [registry, name], page),
    tagNames: (registry, name, page) =>
      list<{ name: string }>('name', 'registry_tags', 'name', [registry, name], page).map(
        (row) => row.name,
      ),
    storedBytes: (registry) => storedBytes(registry)?.bytes ?? 0,
    registries: () =>
      many<{ registry: string }>(
        `SELECT registry FROM registry_repositories UNION SELECT registry FROM registry_blob_links
          UNION SELECT registry FROM registry_deleted_manifests`,
      ).map((row) => row.registry),
  }
}
