import type { RegistryFacts } from '../registry-directory.ts'
import type { CollectorPorts } from './create-collector.ts'
import { findOrphans } from './find-orphans.ts'
import { purgeableManifests } from './purge-deleted.ts'
import { unownedBlobs } from './remove-blobs.ts'
import { unneededBlobs } from './review-blobs.ts'
import { expiredManifests } from './untagged-retention.ts'

/** Of each kind; who has more sees the oldest. */
const LIMIT = 10_000
const ALWAYS = '9999'

/** Something that the garbage collector will take, unless it is used until then. */
export interface Candidate {
  readonly kind: 'blob' | 'manifest'
  readonly digest: string
  /** In bytes. */
  readonly size: number
  /** `registry/repository` that has it; absent for a blob that no repository has. */
  readonly from?: string
  readonly reason:
    | 'untagged'
    | 'soft-deleted'
    | 'unused'
    | 'manifest-deleted'
    | 'blob-deleted'
    | 'repository-deleted'
    | 'registry-deleted'
    | 'no-owner'
  readonly since: string
  readonly due: string
}

/** All that will be taken, the first due first. */
export async function listCandidates(ports: CollectorPorts): Promise<readonly Candidate[]> {
  const { database, directory, clock, graceMs } = ports
  const registries = directory.list()
  const nameOf = ({ registry, repository }: { registry: string; repository: string }) =>
    `${registries.find(({ uid }) => uid === registry)?.loginServer ?? registry}/${repository}`
  const now = clock.now()
  const due = (since: string) => new Date(new Date(since).getTime() + graceMs).toISOString()
  const page = { until: ALWAYS, limit: LIMIT }

  const found: Candidate[] = []
  for (const { digest, size, reason, since, ...key } of await unneededBlobs(database, page)) {
    const from = nameOf(key)
    found.push({ kind: 'blob', digest, size, from, reason, since, due: due(since) })
  }
  for (const { digest, size, reason, since } of await unownedBlobs(database, page)) {
    found.push({ kind: 'blob', digest, size, reason, since, due: due(since) })
  }
  for await (const orphans of findOrphans(ports, now)) {
    for (const { digest, size, storedAt } of orphans) {
      const since = storedAt.toISOString()
      found.push({ kind: 'blob', digest, size, reason: 'no-owner', since, due: due(since) })
    }
  }
  for (const registry of registries)
    found.push(...(await manifestsOf(ports, registry, now, nameOf)))
  return found.toSorted((one, other) => (one.due < other.due ? -1 : one.due > other.due ? 1 : 0))
}

const DAY_MS = 24 * 60 * 60 * 1000

async function manifestsOf(
  { database, graceMs }: CollectorPorts,
  registry: RegistryFacts,
  now: Date,
  nameOf: (key: { registry: string; repository: string }) => string,
): Promise<readonly Candidate[]> {
  const { untaggedRetention, softDelete } = registry
  const candidates = (
    rows: Awaited<ReturnType<typeof expiredManifests>>,
    reason: Candidate['reason'],
    days: number,
  ): readonly Candidate[] =>
    rows.map(({ digest, size, since, ...key }) => ({
      kind: 'manifest',
      digest,
      size,
      from: nameOf(key),
      reason,
      since,
      due: new Date(new Date(since).getTime() + days * DAY_MS).toISOString(),
    }))
  const page = (days: number) => ({
    now: new Date(now.getTime() + days * DAY_MS + graceMs),
    graceMs,
    limit: LIMIT,
  })
  const untaggedDays = untaggedRetention?.days ?? 0
  const deletedDays = softDelete?.days ?? 0
  return [
    ...candidates(
      await expiredManifests(database, registry, page(untaggedDays)),
      'untagged',
      untaggedDays,
    ),
    ...candidates(
      await purgeableManifests(database, registry, page(deletedDays)),
      'soft-deleted',
      deletedDays,
    ),
  ]
}
