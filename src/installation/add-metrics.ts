import { stat, statfs } from 'node:fs/promises'
import { systemClock } from '../lib/clock.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { PlaceStatus } from '../places/place-status.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'
import { addContentMetrics } from './add-content-metrics.ts'
import type { Stores } from './open-stores.ts'

/** What can be told of this installation by looking at it: nothing is counted on anybody's way. */
export function addMetrics(
  metrics: Metrics,
  { database, folder }: Stores,
  parts: {
    readonly places: () => readonly PlaceStatus[]
    readonly directory: Pick<RegistryDirectory, 'list'>
  },
): void {
  const { gauge } = metrics
  const { places, directory } = parts
  addContentMetrics(metrics, database, systemClock)
  gauge({
    name: 'causeway_places',
    help: 'Networks with a place, and the internet, by state.',
    label: 'state',
    read: () => {
      const states = { ready: 0, failed: 0 }
      for (const { state } of places()) states[state] += 1
      return states
    },
  })
  gauge({
    name: 'causeway_endpoint_listeners',
    help: 'Private addresses on which endpoints listen.',
    read: () => places().reduce((sum, { listeners }) => sum + listeners.length, 0),
  })
  gauge({
    name: 'causeway_programs',
    help: 'Programs that run in places.',
    read: () => places().reduce((sum, { programs }) => sum + programs.length, 0),
  })
  gauge({
    name: 'causeway_registries',
    help: 'Registries.',
    read: () => directory.list().length,
  })
  const running = database.reader.prepare(
    `SELECT count(*) AS count FROM operations WHERE state = 'Running'`,
  )
  gauge({
    name: 'causeway_operations_running',
    help: 'Long operations of the control plane that have not ended.',
    read: () => Number(running.get()?.count ?? 0),
  })
  gauge({
    name: 'causeway_database_bytes',
    help: 'Size of the database file.',
    read: async () => (await stat(folder.database)).size,
  })
  gauge({
    name: 'causeway_storage_bytes',
    help: 'Space of the file system that blobs lie on, by use; free is what is left for them.',
    label: 'state',
    read: async () => {
      const { bsize, blocks, bavail } = await statfs(folder.blobs)
      return { free: bavail * bsize, used: (blocks - bavail) * bsize }
    },
  })
}
