import type { Kysely } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import { createMutex } from '../../lib/mutex.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { RemovalLock } from '../../storage/removal-lock.ts'
import type { ReplicaStores } from '../../storage/replica-stores.ts'
import type { Tables } from '../../storage/tables.ts'
import type { RegistryDirectory } from '../registry-directory.ts'
import { type Candidate, listCandidates } from './candidates.ts'
import { queueOrphans } from './find-orphans.ts'
import { purgeDeleted } from './purge-deleted.ts'
import { removeDueBlobs } from './remove-blobs.ts'
import { sweepCopies } from './remove-copies.ts'
import { endDueReviews } from './review-blobs.ts'
import { deleteExpired } from './untagged-retention.ts'

export interface CollectorPorts {
  readonly database: Kysely<Tables>
  readonly blobs: BlobStore
  readonly replicas: ReplicaStores
  readonly lock: RemovalLock
  readonly directory: Pick<RegistryDirectory, 'list'>
  readonly clock: Clock
  /** How long blobs that nothing needs stay. */
  readonly graceMs: number
  /** Is told why the store of a region cannot be used; the others are. */
  readonly report: (region: string, error: unknown) => void
  /** Ends a run between two of its transactions. */
  readonly signal: AbortSignal
}

/** What one run has done. */
export interface Collected {
  /** Deleted, because they had had no tag for as long as the policy of their registry says. */
  readonly untaggedManifests: number
  /** Deleted before, and now for good. */
  readonly purgedManifests: number
  /** Taken from a repository, none of whose manifests needs them. */
  readonly unlinkedBlobs: number
  readonly removedBlobs: number
  readonly removedBytes: number
  /** From further regions: copies of those, and with a sweep what no replica needs. */
  readonly removedCopies: number
  /** Files stay because a backup is being made. */
  readonly held: boolean
}

/** How a run goes about it. */
export interface Run {
  /** Compares the stores with the database as well. */
  readonly sweeps?: boolean
  /** Takes also what is still in its grace. */
  readonly ignoresGrace?: boolean
}

export interface Collector {
  /** Does what is due. One run after the other. */
  collect(run?: Run): Promise<Collected>
  /** What it would do now or later, the oldest first; changes nothing. */
  candidates(): Promise<readonly Candidate[]>
}

/** The garbage collector: it runs beside pushes and pulls, in many small transactions. */
export function createCollector(ports: CollectorPorts): Collector {
  const { blobs, directory, clock, graceMs } = ports
  const alone = createMutex()

  return {
    collect: ({ sweeps = false, ignoresGrace = false } = {}) =>
      alone(async () => {
        let [untaggedManifests, purgedManifests] = [0, 0]
        for (const registry of directory.list()) {
          untaggedManifests += await deleteExpired(ports, registry)
          purgedManifests += await purgeDeleted(ports, registry)
        }
        const until = new Date(clock.now().getTime() - (ignoresGrace ? 0 : graceMs))
        await blobs.reclaim()
        if (sweeps) await queueOrphans(ports, until)
        const unlinkedBlobs = await endDueReviews(ports, until.toISOString())
        const removed = await removeDueBlobs(ports, until.toISOString())
        const sweptCopies = sweeps ? await sweepCopies(ports, until) : 0
        return {
          untaggedManifests,
          purgedManifests,
          unlinkedBlobs,
          removedBlobs: removed.blobs,
          removedBytes: removed.bytes,
          removedCopies: removed.copies + sweptCopies,
          held: removed.held,
        }
      }),

    candidates: () => listCandidates(ports),
  }
}
