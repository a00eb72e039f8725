import { type Selectable, sql } from 'kysely'
import type { RegistryTables } from '../../storage/registry-tables.ts'
import type { ScrubPorts } from './create-scrubber.ts'

export type Scrub = Selectable<RegistryTables['registry_scrubs']>

/** The scrub that was begun and not ended; otherwise, or where it is to begin anew, a new one. */
export async function openScrub(
  { database, clock }: ScrubPorts,
  restarts: boolean,
): Promise<Scrub> {
  const begun = await database.selectFrom('registry_scrubs').selectAll().executeTakeFirst()
  if (begun && !begun.finished_at && !restarts) return begun
  const { rows } = await sql<{ blobs: number; bytes: number | null }>`
    SELECT count(*) AS blobs, sum(size) AS bytes FROM (
      SELECT max(size) AS size FROM registry_blob_links GROUP BY digest)`.execute(database)
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

/** How far it has come, and all blobs that are damaged now. */
export async function describeScrub({ database, directory }: ScrubPorts, scrub: Scrub) {
  const registries = directory.list()
  const rows = await database
    .selectFrom('registry_damaged_blobs as d')
    .leftJoin('registry_blob_links as l', 'l.digest', 'd.digest')
    .select(['d.digest', 'd.kind', 'd.found_at', 'l.registry', 'l.repository'])
    .orderBy('d.digest')
    .execute()
  const repositoryOf = ({ registry, repository }: (typeof rows)[number]): readonly string[] => {
    if (registry === null) return []
    const host = registries.find(({ uid }) => uid === registry)?.loginServer ?? registry
    return [`${host}/${repository}`]
  }
  const damaged = [...Map.groupBy(rows, ({ digest }) => digest)].flatMap(([digest, links]) => {
    const [first] = links
    if (!first) return []
    const { kind, found_at: foundAt } = first
    return [{ digest, kind, foundAt, in: links.flatMap(repositoryOf) }]
  })
  return {
    startedAt: scrub.started_at,
    ...(scrub.finished_at !== null && { finishedAt: scrub.finished_at }),
    blobs: scrub.blobs,
    bytes: scrub.bytes,
    allBlobs: scrub.all_blobs,
    allBytes: scrub.all_bytes,
    damaged,
  }
}
