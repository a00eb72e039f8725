import { type Kysely, sql } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Tables } from '../../storage/tables.ts'
import { deleteManifest } from '../content/deletions.ts'
import { isDeletableContent } from '../content/locks.ts'
import type { RegistryTransaction, RepositoryKey } from '../content/repository-key.ts'
import { deletionIn, type RegistryFacts } from '../registry-directory.ts'
import { daysBefore } from './days-before.ts'

const BATCH = 100

/** A manifest that has had no tag for long enough. */
export interface ExpiredManifest extends RepositoryKey {
  readonly digest: string
  readonly size: number
  readonly since: string
}

/**
 * The untagged manifests of a registry that its policy ends, the oldest first, after the one with this key. Parts of an
 * index stay with it, also with one that can be restored, and so does what refers to a manifest that is there. What was
 * pushed without a tag has the grace in any case: its index may be on the way.
 */
export async function expiredManifests(
  database: Kysely<Tables>,
  { uid, untaggedRetention }: RegistryFacts,
  options: {
    readonly now: Date
    readonly graceMs: number
    readonly limit: number
    readonly after?: ExpiredManifest
  },
): Promise<readonly ExpiredManifest[]> {
  if (!untaggedRetention) return []
  const { days, from } = untaggedRetention
  const { now, graceMs, after } = options
  const pushedUntil = new Date(now.getTime() - graceMs).toISOString()
  const { rows } = await sql<ExpiredManifest>`
    SELECT u.registry, u.repository, u.digest, length(m.content) AS size, u.since
    FROM registry_untagged_manifests u
    JOIN registry_manifests m ON m.registry = u.registry AND m.repository = u.repository AND m.digest = u.digest
    WHERE u.registry = ${uid} AND u.since >= ${from} AND u.since <= ${daysBefore(now, days)}
      AND (u.since > m.updated_at OR u.since <= ${pushedUntil})
      ${after ? sql`AND (u.since, u.repository, u.digest) > (${after.since}, ${after.repository}, ${after.digest})` : sql``}
      AND NOT EXISTS (SELECT 1 FROM registry_manifest_references r
        WHERE r.registry = u.registry AND r.repository = u.repository AND r.child = u.digest)
      AND NOT EXISTS (SELECT 1 FROM registry_manifests s
        WHERE s.registry = m.registry AND s.repository = m.repository AND s.digest = m.subject)
    ORDER BY u.since, u.repository, u.digest LIMIT ${options.limit}`.execute(database)
  return rows
}

export interface RetentionPorts {
  readonly database: Kysely<Tables>
  readonly clock: Clock
  readonly graceMs: number
  readonly signal: AbortSignal
}

/** Deletes what the policy of a registry ends and no lock keeps, one manifest in each transaction; softly where deletions are. */
export async function deleteExpired(
  ports: RetentionPorts,
  registry: RegistryFacts,
): Promise<number> {
  const { database, clock, graceMs, signal } = ports
  let deleted = 0
  let after: ExpiredManifest | undefined
  for (;;) {
    const now = clock.now()
    const page = { now, graceMs, limit: BATCH, ...(after && { after }) }
    const expired = await expiredManifests(database, registry, page)
    for (const { digest, ...key } of expired) {
      signal.throwIfAborted()
      const isDeleted = await database.transaction().execute(async (transaction) => {
        if (!(await isStillUntagged(transaction, { ...key, digest }))) return false
        if (!(await isDeletableContent(transaction, key, digest))) return false
        return deleteManifest(transaction, clock, key, digest, deletionIn(registry))
      })
      if (isDeleted) deleted += 1
    }
    after = expired.at(-1)
    if (expired.length < BATCH) return deleted
  }
}

/** Somebody may have pushed, tagged or put it into an index since it was found. */
async function isStillUntagged(
  transaction: RegistryTransaction,
  { registry, repository, digest, since }: Omit<ExpiredManifest, 'size'>,
): Promise<boolean> {
  const { rows } = await sql`SELECT 1 FROM registry_untagged_manifests
    WHERE registry = ${registry} AND repository = ${repository} AND digest = ${digest} AND since = ${since}
      AND NOT EXISTS (SELECT 1 FROM registry_manifest_references
        WHERE registry = ${registry} AND repository = ${repository} AND child = ${digest})`.execute(
    transaction,
  )
  return rows.length > 0
}
