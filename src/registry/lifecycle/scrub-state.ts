import { type Selectable, sql } from 'kysely'
import type { RegistryTables } from '../../storage/registry-tables.ts'
import {
  damagedEverywhere,
  forgetRepaired,
  forgetUnneeded,
  repairedEverywhere,
} from '../mending/known-damage.ts'
import type { ScrubPorts } from './create-scrubber.ts'

export type Scrub = Selectable<RegistryTables['registry_scrubs']>

/** The scrub that was begun and not ended; otherwise, or where it is to begin anew, a new one. */
export async function openScrub(
  { database, clock }: ScrubPorts,
  restarts: boolean,
): Promise<Scrub> {
  const begun = await database.selectFrom('registry_scrubs').selectAll().executeTakeFirst()
  if (begun && !begun.finished_at && !restarts) return begun
  await forgetRepaired(database, begun?.finished_at ?? '')
  await forgetUnneeded(database)
  const { rows } = await sql<{ blobs: number; bytes: number | null }>`
    SELECT count(*) AS blobs, sum(size) AS bytes FROM (
      SELECT max(size) AS size FROM registry_blob_links GROUP BY digest
      UNION ALL SELECT max(l.size) FROM registry_blob_links l
        JOIN registry_replicas r ON r.registry = l.registry GROUP BY r.region, l.digest)`.execute(
    database,
  )
  return {
    id: 1,
    started_at: clock.now().toISOString(),
    position: '',
    blobs: 0,
    bytes: 0,
    all_blobs: rows[0]?.blobs ?? 0,
    all_bytes: rows[0]?.bytes ?? 0,
    finished_at: null,
    unread: '',
  }
}

/** Another process can go on from here. */
export async function keepScrub({ database }: ScrubPorts, scrub: Scrub): Promise<void> {
  await database
    .insertInto('registry_scrubs')
    .values(scrub)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(scrub))
    .execute()
}

/** How far it has come, all blobs that are damaged somewhere now, and what was mended since the scrub before it. */
export async function describeScrub({ database, directory }: ScrubPorts, scrub: Scrub) {
  const registries = directory.list()
  const nameOf = ({ registry, repository }: { registry: string; repository: string }) =>
    `${registries.find(({ uid }) => uid === registry)?.loginServer ?? registry}/${repository}`
  const [damaged, repaired] = [
    await damagedEverywhere(database),
    await repairedEverywhere(database),
  ]
  return {
    startedAt: scrub.started_at,
    ...(scrub.finished_at !== null && { finishedAt: scrub.finished_at }),
    blobs: scrub.blobs,
    bytes: scrub.bytes,
    allBlobs: scrub.all_blobs,
    allBytes: scrub.all_bytes,
    damaged: damaged.map((each) => ({ ...each, in: each.in.map(nameOf) })),
    repaired: repaired.map((each) => ({ ...each, in: each.in.map(nameOf) })),
    unreadRegions: scrub.unread === '' ? [] : scrub.unread.split(' '),
  }
}
