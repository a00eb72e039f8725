import assert from 'node:assert/strict'
import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Digest, hexOf } from '../../lib/digest.ts'
import { type Fixture, pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const EAST = { region: 'eastus', host: 'myregistry.eastus.data.azurecr.io' }

const pass = (registry: Fixture, ms: number): void => {
  registry.now = new Date(registry.now.getTime() + ms)
}

async function replicate(registry: Fixture, to: readonly (typeof EAST)[]): Promise<void> {
  const [home] = registry.facts.dataEndpoints
  assert.ok(home)
  registry.facts = { ...registry.facts, dataEndpoints: [home, ...to] }
  await registry.plane.keepReplicas()
  await registry.plane.replicated()
}

async function startReplicated(t: TestContext): Promise<Fixture> {
  const registry = await startRegistry(t)
  await replicate(registry, [EAST])
  return registry
}

const fileOf = (registry: Fixture, digest: Digest) =>
  join(registry.folder, 'replicas/eastus/blobs/sha256', hexOf(digest).slice(0, 2), hexOf(digest))

const isCopied = (registry: Fixture, digest: Digest): Promise<boolean> =>
  stat(fileOf(registry, digest)).then(
    () => true,
    () => false,
  )

test('a blob that goes from the home goes from the regions, and one that stays does not', async (t) => {
  const registry = await startReplicated(t)
  const one = await pushImage(registry, 'app', 'v1')
  const two = await pushImage(registry, 'app', 'v2')
  await registry.plane.replicated()
  await registry.send('DELETE', `/v2/app/manifests/${one.digest}`)
  assert.ok(await isCopied(registry, one.layer))
  pass(registry, DAY_MS)
  const done = await registry.collector.collect()
  assert.deepEqual([done.removedBlobs, done.removedCopies], [2, 2])
  assert.equal(await isCopied(registry, one.layer), false)
  assert.ok(await isCopied(registry, two.layer))
})

test('what a replica leaves that is gone is swept when its grace is over, unless it comes back', async (t) => {
  const registry = await startReplicated(t)
  const { layer } = await pushImage(registry, 'app', 'v1')
  await registry.plane.replicated()
  await replicate(registry, [])
  assert.equal((await registry.collector.collect({ sweeps: true })).removedCopies, 0)
  // Files have the time of the machine.
  pass(registry, DAY_MS + 60_000)
  await replicate(registry, [EAST])
  assert.equal((await registry.collector.collect({ sweeps: true })).removedCopies, 0)
  await replicate(registry, [])
  assert.equal((await registry.collector.collect()).removedCopies, 0)
  assert.equal((await registry.collector.collect({ sweeps: true })).removedCopies, 2)
  assert.equal(await isCopied(registry, layer), false)
  assert.equal((await registry.send('GET', `/v2/app/blobs/${layer}`)).status, 200)
  await replicate(registry, [EAST])
  assert.ok(await isCopied(registry, layer))
})

test('what was set aside of a copy goes with it', async (t) => {
  const registry = await startReplicated(t)
  const { digest, layer } = await pushImage(registry, 'app', 'v1')
  await registry.plane.replicated()
  await writeFile(fileOf(registry, layer), 'rotten v1')
  await registry.scrubber.step({})
  await registry.plane.replicated()
  const quarantine = join(registry.folder, 'replicas/eastus/quarantine')
  assert.equal((await readdir(quarantine)).length, 1)
  await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  pass(registry, DAY_MS)
  assert.equal((await registry.collector.collect()).removedCopies, 2)
  assert.deepEqual(await readdir(quarantine), [])
})

test('what is damaged in a region is forgotten when no replica needs it there', async (t) => {
  const registry = await startReplicated(t)
  const one = await pushImage(registry, 'app', 'v1')
  const two = await pushImage(registry, 'app', 'v2')
  await registry.plane.replicated()
  const { kysely } = registry.database
  const damagedCopies = async () => {
    const rows = await kysely.selectFrom('registry_damaged_copies').select('digest').execute()
    return rows.map(({ digest }) => digest)
  }
  const damage = { region: 'eastus', kind: 'mismatch', found_at: '2026-01-01T00:00:00Z' } as const
  for (const digest of [one.layer, two.layer]) {
    await kysely
      .insertInto('registry_damaged_copies')
      .values({ ...damage, digest })
      .execute()
  }
  await registry.send('DELETE', `/v2/app/manifests/${one.digest}`)
  pass(registry, DAY_MS)
  await registry.collector.collect()
  assert.deepEqual(await damagedCopies(), [two.layer])
  await replicate(registry, [])
  assert.deepEqual(await damagedCopies(), [])
})

test('what a region has for another registry stays there', async (t) => {
  const registry = await startReplicated(t)
  const digest = await pushBlob(registry, 'app', Buffer.from('shared'))
  await registry.plane.replicated()
  const link = { repository: 'app', digest, size: 6, created_at: '2026-01-01T00:00:00Z' }
  const { kysely } = registry.database
  await kysely
    .insertInto('registry_blob_links')
    .values({ ...link, registry: 'uid-2' })
    .execute()
  await kysely
    .insertInto('registry_replicas')
    .values({ registry: 'uid-2', region: 'eastus', in_step_since: '2026-01-01T00:00:00Z' })
    .execute()
  await registry.plane.forgetRegistry('uid-1')
  const done = await registry.collector.collect({ sweeps: true, ignoresGrace: true })
  assert.deepEqual([done.removedBlobs, done.removedCopies], [0, 0])
  assert.ok(await isCopied(registry, digest))
  await registry.plane.forgetRegistry('uid-2')
  const rest = await registry.collector.collect({ sweeps: true, ignoresGrace: true })
  assert.deepEqual([rest.removedBlobs, rest.removedCopies], [1, 1])
  for (const table of ['registry_replicas', 'registry_replica_queue'] as const) {
    assert.deepEqual(await kysely.selectFrom(table).selectAll().execute(), [])
  }
})

test('a region whose disk fails keeps nothing else from going, and is told of', async (t) => {
  const registry = await startReplicated(t)
  const { digest, layer } = await pushImage(registry, 'app', 'v1')
  await registry.plane.replicated()
  await registry.send('DELETE', `/v2/app/manifests/${digest}`)
  const blobs = join(registry.folder, 'replicas/eastus/blobs')
  await rm(blobs, { recursive: true })
  await writeFile(blobs, 'no folder')
  pass(registry, DAY_MS)
  const done = await registry.collector.collect({ sweeps: true })
  assert.deepEqual([done.removedBlobs, done.removedCopies], [2, 0])
  assert.equal(await registry.blobs.has(layer), false)
  assert.ok(registry.logged.some((event) => JSON.stringify(event).includes('"region":"eastus"')))
})
