import { type Kysely, sql } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Tables } from '../../storage/tables.ts'
import { endManifest } from '../content/deletions.ts'
import type { RepositoryKey } from '../content/repository-key.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import { daysBefore } from './days-before.ts'

const BATCH = 50

/** A deleted manifest whose days to be restored are over. */
export interface PurgeableManifest extends RepositoryKey {
  readonly digest: string
  readonly size: number
  readonly since: string
}

/** What can be purged of a registry, by the days that its policy says now; the oldest first. */
export async function purgeableManifests(
  database: Kysely<Tables>,
  { uid, softDelete }: RegistryFacts,
  options: { readonly now: Date; readonly limit: number },
): Promise<readonly PurgeableManifest[]> {
  if (!softDelete) return []
  const { rows } = await sql<PurgeableManifest>`
    SELECT registry, repository, digest, length(content) AS size, deleted_at AS since
    FROM registry_deleted_manifests
    WHERE registry = ${uid} AND deleted_at <= ${daysBefore(options.now, softDelete.days)}
    ORDER BY deleted_at LIMIT ${options.limit}`.execute(database)
  return rows
}

/** Purges it, with the deleted tags of that age; what only a purged manifest needed goes to the garbage collector. */
export async function purgeDeleted(
  ports: {
    readonly database: Kysely<Tables>
    readonly clock: Clock
    readonly signal: AbortSignal
  },
  registry: RegistryFacts,
): Promise<number> {
  const { database, clock, signal } = ports
  if (!registry.softDelete) return 0
  let purged = 0
  for (;;) {
    signal.throwIfAborted()
    const now = clock.now()
    const batch = await database.transaction().execute(async (transaction) => {
      const due = await purgeableManifests(transaction, registry, { now, limit: BATCH })
      for (const { digest, ...key } of due) {
        await transaction
          .deleteFrom('registry_deleted_manifests')
          .where('registry', '=', key.registry)
          .where('repository', '=', key.repository)
          .where('digest', '=', digest)
          .execute()
        await endManifest(transaction, key, digest, now.toISOString())
      }
      return due.length
    })
    purged += batch
    if (batch === BATCH) continue
    await database
      .deleteFrom('registry_deleted_tags')
      .where('registry', '=', registry.uid)
      .where('deleted_at', '<=', daysBefore(now, registry.softDelete.days))
      .execute()
    return purged
  }
}
