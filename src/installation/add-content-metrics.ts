import type { Clock } from '../lib/clock.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Database } from '../storage/database.ts'

/** How far regions are behind, and what waits to be removed: queues, which are short. */
export function addContentMetrics({ gauge }: Metrics, { reader }: Database, clock: Clock): void {
  const queued = reader.prepare(
    `SELECT r.region, count(q.digest) AS blobs, min(q.queued_at) AS oldest, count(q.last_error) AS failed
    FROM registry_replicas r LEFT JOIN registry_replica_queue q ON q.registry = r.registry AND q.region = r.region
    GROUP BY r.region`,
  )
  // The gate for rows: the columns are those above.
  const regions = () =>
    queued.all() as unknown as readonly {
      region: string
      blobs: number
      oldest: string | null
      failed: number
    }[]
  const byRegion = (value: (row: ReturnType<typeof regions>[number]) => number) =>
    Object.fromEntries(regions().map((row) => [row.region, value(row)]))
  gauge({
    name: 'causeway_replica_pending_blobs',
    help: 'Blobs that regions are still to get.',
    label: 'region',
    read: () => byRegion(({ blobs }) => blobs),
  })
  gauge({
    name: 'causeway_replica_failing_blobs',
    help: 'Blobs among them whose last copy failed.',
    label: 'region',
    read: () => byRegion(({ failed }) => failed),
  })
  gauge({
    name: 'causeway_replica_lag_seconds',
    help: 'How long the oldest blob waits that a region is still to get; 0 in a region that is in step.',
    label: 'region',
    read: () =>
      byRegion(({ oldest }) =>
        oldest === null ? 0 : Math.max(0, (clock.now().getTime() - Date.parse(oldest)) / 1000),
      ),
  })
  for (const [table, name, help] of [
    [
      'registry_blob_removals',
      'causeway_blobs_to_remove',
      'Blobs whose files go after their grace.',
    ],
    [
      'registry_damaged_blobs',
      'causeway_damaged_blobs',
      'Blobs that repositories have and whose bytes at home are lost.',
    ],
    [
      'registry_damaged_copies',
      'causeway_damaged_copies',
      'Blobs that regions of replicas had not whole and are to get again.',
    ],
  ] as const) {
    const count = reader.prepare(`SELECT count(*) AS count FROM ${table}`)
    gauge({ name, help, read: () => Number(count.get()?.count ?? 0) })
  }
}
