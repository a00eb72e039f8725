import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Metric, NO_METRICS, type Samples } from '../lib/metrics.ts'
import { openDatabase } from '../storage/database.ts'
import { addContentMetrics } from './add-content-metrics.ts'

test('how far each region is behind, and what is to go', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-metrics-'))
  const database = await openDatabase(join(folder, 'causeway.db'))
  t.after(async () => {
    await database.close()
    await rm(folder, { recursive: true, force: true })
  })
  const read = new Map<string, Metric['read']>()
  const gauge = ({ name, read: reading }: Metric) => void read.set(name, reading)
  const now = new Date('2026-01-01T00:01:00Z')
  addContentMetrics({ ...NO_METRICS, gauge }, database, { now: () => now })
  const value = async (name: string): Promise<Samples | undefined> => read.get(name)?.()

  assert.deepEqual(await value('causeway_replica_pending_blobs'), {})
  const at = '2026-01-01T00:00:30Z'
  const replica = { registry: 'uid-1', in_step_since: at }
  await database.kysely
    .insertInto('registry_replicas')
    .values([
      { ...replica, region: 'eastus' },
      { ...replica, region: 'japaneast' },
    ])
    .execute()
  const blob = { registry: 'uid-1', region: 'eastus', size: 1, queued_at: at, due_at: at }
  await database.kysely
    .insertInto('registry_replica_queue')
    .values([
      { ...blob, digest: 'sha256:a', attempts: 0, last_error: null },
      { ...blob, digest: 'sha256:b', attempts: 1, last_error: 'the disk of the region failed' },
    ])
    .execute()
  await database.kysely
    .insertInto('registry_blob_removals')
    .values({ digest: 'sha256:c', size: 1, reason: 'blob-deleted', since: at })
    .execute()
  assert.deepEqual(await value('causeway_replica_pending_blobs'), { eastus: 2, japaneast: 0 })
  assert.deepEqual(await value('causeway_replica_failing_blobs'), { eastus: 1, japaneast: 0 })
  assert.deepEqual(await value('causeway_replica_lag_seconds'), { eastus: 30, japaneast: 0 })
  assert.equal(await value('causeway_blobs_to_remove'), 1)
  assert.equal(await value('causeway_damaged_blobs'), 0)
})
