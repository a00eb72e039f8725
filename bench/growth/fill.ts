import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

/** What a registry may have much of. */
export type Dimension = 'repositories' | 'tags' | 'blobs'

/** Where a registry's metadata is to grow, and the repository that everything is then asked of. */
export interface Ground {
  readonly database: string
  /** The registry's uid. */
  readonly registry: string
  readonly repository: string
}

const NUMBERS =
  'WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < :count)'
// A second apart, so that an order by time is one.
const TIME = "strftime('%Y-%m-%dT%H:%M:%fZ', 1767225600 + i, 'unixepoch')"
const NAME = "printf('grown/r%06d', i)"
const DIGEST = "'sha256:' || printf('%064x', i)"
/** Tags that share a manifest. */
const TAGS_EACH = 10
/** Repositories that share the blobs. */
const SHARING = 100
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'

/**
 * Fills tables by statements of their own, since pushes would take hours: so many repositories with an image each, tags in
 * the one repository, or blobs, of which it has a hundredth.
 */
export function fill(ground: Ground, dimension: Dimension, count: number): void {
  const database = new DatabaseSync(ground.database)
  try {
    database.exec('PRAGMA busy_timeout=5000; PRAGMA synchronous=OFF; BEGIN IMMEDIATE')
    FILLERS[dimension](database, ground, count)
    database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    database.close()
  }
}

type Filler = (database: DatabaseSync, ground: Ground, count: number) => void

const FILLERS: Readonly<Record<Dimension, Filler>> = {
  repositories(database, { registry }, count) {
    repositories(database, registry, count)
    manifests(database, { registry, repository: NAME }, count)
    tags(database, { registry, repository: NAME, tag: "'v1'", digest: DIGEST }, count)
    links(database, { registry, repository: NAME }, count)
  },
  tags(database, { registry, repository }, count) {
    const name = `'${repository}'`
    manifests(database, { registry, repository: name }, count / TAGS_EACH)
    const digest = `'sha256:' || printf('%064x', i / ${TAGS_EACH})`
    tags(database, { registry, repository: name, tag: "printf('v%06d', i)", digest }, count)
  },
  blobs(database, { registry, repository }, count) {
    repositories(database, registry, SHARING - 1)
    const sharing = `CASE i % ${SHARING} WHEN 0 THEN '${repository}' ELSE printf('grown/r%06d', i % ${SHARING} - 1) END`
    links(database, { registry, repository: sharing }, count)
  },
}

interface Columns {
  readonly registry: string
  /** SQL, as are the others: `i` is the row's number. */
  readonly repository: string
}

function repositories(database: DatabaseSync, registry: string, count: number): void {
  insert(database, 'registry_repositories', count, {
    registry: [registry],
    name: NAME,
    created_at: TIME,
    updated_at: TIME,
  })
}

function manifests(database: DatabaseSync, { registry, repository }: Columns, count: number): void {
  insert(database, 'registry_manifests', count, {
    registry: [registry],
    repository,
    digest: DIGEST,
    media_type: [MANIFEST_TYPE],
    image_size: '30000 + i % 1000',
    content: `CAST(printf('{"schemaVersion":2,"filler":"%0600d"}', i) AS BLOB)`,
    created_at: TIME,
    updated_at: TIME,
  })
}

function tags(
  database: DatabaseSync,
  { registry, repository, tag, digest }: Columns & { tag: string; digest: string },
  count: number,
): void {
  insert(database, 'registry_tags', count, {
    registry: [registry],
    repository,
    name: tag,
    digest,
    created_at: TIME,
    updated_at: TIME,
  })
}

function links(database: DatabaseSync, { registry, repository }: Columns, count: number): void {
  insert(database, 'registry_blob_links', count, {
    registry: [registry],
    repository,
    digest: DIGEST,
    size: '10000 + i % 1000',
    created_at: TIME,
  })
}

/** Each column is SQL over `i`, or a value in a list of one. */
function insert(
  database: DatabaseSync,
  table: string,
  count: number,
  columns: Readonly<Record<string, string | readonly [SQLInputValue]>>,
): void {
  const names = Object.keys(columns)
  const values = names.map((name) =>
    typeof columns[name] === 'string' ? columns[name] : `:${name}`,
  )
  const given = Object.entries(columns).flatMap(([name, value]) =>
    typeof value === 'string' ? [] : [[name, value[0]] as const],
  )
  database
    .prepare(
      `${NUMBERS} INSERT INTO ${table} (${names.join(', ')}) SELECT ${values.join(', ')} FROM numbers`,
    )
    .run({ count, ...Object.fromEntries(given) })
}
