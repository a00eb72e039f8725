import type { Config } from '../config.ts'
import { systemClock as clock } from '../lib/clock.ts'
import type { Closing } from '../lib/closing.ts'
import { createCollector } from '../registry/lifecycle/create-collector.ts'
import { createScrubber } from '../registry/lifecycle/create-scrubber.ts'
import { runCollector } from '../registry/lifecycle/run-collector.ts'
import type { Mender } from '../registry/mending/create-mender.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'
import { openRemovalLock } from '../storage/removal-lock.ts'
import type { ReplicaStores } from '../storage/replica-stores.ts'
import type { Stores } from './open-stores.ts'

export type ContentCare = ReturnType<typeof careForContent>

const HOUR_MS = 60 * 60 * 1000

/** What is looked after, as the planes serve it. */
interface ContentAtWork {
  readonly directory: RegistryDirectory
  readonly replicas: ReplicaStores
  readonly mender: Mender
}

/** What looks after content while it is served: the garbage collector, and the scrub. Begins nothing before `start`. */
export function careForContent(
  { folder, database, blobs, log }: Stores,
  { directory, replicas, mender }: ContentAtWork,
  { garbageCollection }: Pick<Config, 'garbageCollection'>,
  closing: Closing,
) {
  const lock = openRemovalLock(folder)
  closing.add(() => lock.close())
  const end = new AbortController()
  const ports = { database: database.kysely, blobs, directory, clock, signal: end.signal }
  const collector = createCollector({
    ...ports,
    replicas,
    lock,
    graceMs: garbageCollection.graceHours * HOUR_MS,
    report: (region, error) =>
      log.error({ err: error, region }, 'blobs of a region could not be removed'),
  })
  return {
    collector,
    scrubber: createScrubber({
      ...ports,
      replicas,
      mender,
      report: (region, error) =>
        log.error({ err: error, region }, 'blobs of a region could not be read again'),
    }),
    start() {
      const intervalMs = garbageCollection.intervalSeconds * 1000
      closing.add(runCollector({ collector, intervalMs, end, log }))
    },
  }
}
