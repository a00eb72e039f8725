import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Digest, hexOf } from '../../lib/digest.ts'
import { type Fixture, pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

const fileOf = ({ folder }: Fixture, digest: Digest): string =>
  join(folder, 'content', 'blobs', 'sha256', hexOf(digest).slice(0, 2), hexOf(digest))

test('whole blobs are read once, and nothing is found', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const { startedAt, finishedAt, ...found } = await registry.scrubber.step({})
  assert.ok(startedAt && finishedAt)
  const bytes = 'layer v1'.length + 49
  assert.deepEqual(found, {
    ...{ blobs: 2, bytes, allBlobs: 2, allBytes: bytes },
    ...{ damaged: [], repaired: [], unreadRegions: [] },
  })
})

test('a blob with other bytes is set aside, refused with the reason, and repaired by a push', async (t) => {
  const registry = await startRegistry(t)
  registry.now = new Date('2026-01-02T00:00:00.000Z')
  const { layer } = await pushImage(registry, 'app', 'v1')
  await writeFile(fileOf(registry, layer), 'rotten v1')
  const { damaged } = await registry.scrubber.step({})
  const foundAt = '2026-01-02T00:00:00.000Z'
  assert.deepEqual(damaged, [
    { region: 'home', digest: layer, kind: 'mismatch', foundAt, in: [`${registry.address}/app`] },
  ])
  const quarantine = join(registry.folder, 'content', 'quarantine')
  assert.deepEqual(await readdir(quarantine), [`sha256-${hexOf(layer)}`])

  const answer = await registry.send('GET', `/v2/app/blobs/${layer}`)
  assert.deepEqual([answer.status, answer.code], [404, 'BLOB_UNKNOWN'])
  assert.match(
    answer.body.toString(),
    /damaged or lost, and no region has them whole: push an image that has it again/,
  )
  assert.equal((await registry.send('HEAD', `/v2/app/blobs/${layer}`)).status, 404)
  // Who has no such blob learns nothing of it.
  const elsewhere = await registry.send('GET', `/v2/other/blobs/${layer}`)
  assert.doesNotMatch(elsewhere.body.toString(), /damaged/)

  await pushBlob(registry, 'other', Buffer.from('layer v1'))
  assert.equal((await registry.send('GET', `/v2/app/blobs/${layer}`)).body.toString(), 'layer v1')
  assert.deepEqual((await registry.scrubber.step({ restarts: true })).damaged, [])
})

test('a blob that a repository has and the store has not is found', async (t) => {
  const registry = await startRegistry(t)
  const { layer } = await pushImage(registry, 'app', 'v1')
  await rm(fileOf(registry, layer))
  const { damaged } = await registry.scrubber.step({})
  assert.deepEqual(
    damaged.map(({ digest, kind }) => [digest, kind]),
    [[layer, 'missing']],
  )
  const answer = await registry.send('GET', `/v2/app/blobs/${layer}`)
  assert.deepEqual([answer.status, answer.code], [404, 'BLOB_UNKNOWN'])
})

const EAST = { region: 'eastus', host: 'myregistry.eastus.data.azurecr.io' }
const ASIA = { region: 'southeastasia', host: 'myregistry.southeastasia.data.azurecr.io' }

async function replicate(registry: Fixture, to: readonly (typeof EAST)[]): Promise<void> {
  const [home] = registry.facts.dataEndpoints
  assert.ok(home)
  registry.facts = { ...registry.facts, dataEndpoints: [home, ...to] }
  await registry.plane.keepReplicas()
  await registry.plane.replicated()
}

const copyOf = ({ folder }: Fixture, region: string, digest: Digest): string =>
  join(
    ...[folder, 'replicas', region, 'blobs', 'sha256'],
    ...[hexOf(digest).slice(0, 2), hexOf(digest)],
  )

test('the copies of regions are read too, set aside where they have other bytes, and made again', async (t) => {
  const registry = await startRegistry(t)
  registry.now = new Date('2026-01-02T00:00:00.000Z')
  const { layer } = await pushImage(registry, 'app', 'v1')
  const other = await pushBlob(registry, 'app', Buffer.from('other'))
  await replicate(registry, [EAST, ASIA])
  await writeFile(copyOf(registry, 'eastus', layer), 'rotten v1')
  await rm(copyOf(registry, 'southeastasia', other))
  const first = await registry.scrubber.step({})
  assert.deepEqual([first.blobs, first.allBlobs], [8, 9])
  assert.equal(first.damaged.length + first.repaired.length, 2)
  assert.deepEqual(await readdir(join(registry.folder, 'replicas/eastus/quarantine')), [
    `sha256-${hexOf(layer)}`,
  ])
  await registry.plane.replicated()
  assert.equal(await readFile(copyOf(registry, 'eastus', layer), 'utf8'), 'layer v1')
  assert.equal(await readFile(copyOf(registry, 'southeastasia', other), 'utf8'), 'other')

  // Until the next scrub has told of it.
  const foundAt = '2026-01-02T00:00:00.000Z'
  const facts = { foundAt, repairedAt: foundAt, in: [`${registry.address}/app`] }
  const { damaged, repaired } = await registry.scrubber.step({})
  assert.deepEqual(damaged, [])
  assert.deepEqual(repaired, [
    { region: 'eastus', digest: layer, kind: 'mismatch', ...facts },
    { region: 'southeastasia', digest: other, kind: 'missing', ...facts },
  ])
  for (const day of [3, 4]) {
    registry.now = new Date(`2026-01-0${day}T00:00:00.000Z`)
    await registry.scrubber.step({})
  }
  assert.deepEqual((await registry.scrubber.step({})).repaired, [])
})

test('of a region that waits to be filled nothing is missing, and of one that is gone nothing is damaged', async (t) => {
  const registry = await startRegistry(t)
  const { layer } = await pushImage(registry, 'app', 'v1')
  await replicate(registry, [EAST])
  await writeFile(copyOf(registry, 'eastus', layer), 'rotten v1')
  await replicate(registry, [])
  await writeFile(join(registry.folder, 'replicas/southeastasia'), 'no folder')
  await replicate(registry, [ASIA])
  const { damaged, repaired, unreadRegions } = await registry.scrubber.step({})
  assert.deepEqual([damaged, repaired], [[], []])
  assert.deepEqual(unreadRegions, ['southeastasia'])
  assert.deepEqual(await readdir(join(registry.folder, 'replicas/eastus/quarantine')), [])
  await rm(join(registry.folder, 'replicas/southeastasia'))
  const { finishedAt, ...later } = await registry.scrubber.step({})
  assert.ok(finishedAt)
  assert.deepEqual([later.damaged, later.unreadRegions], [[], []])
})

test('what was mended at home is told of with its region', async (t) => {
  const registry = await startRegistry(t)
  const { layer } = await pushImage(registry, 'app', 'v1')
  await replicate(registry, [EAST])
  await writeFile(fileOf(registry, layer), 'rotten v1')
  const { damaged, repaired } = await registry.scrubber.step({})
  assert.deepEqual(damaged, [])
  assert.deepEqual(
    repaired.map(({ region, digest, kind }) => [region, digest, kind]),
    [['home', layer, 'mismatch']],
  )
})

test('it reads no faster than it may, and another process goes on where it stopped', async (t) => {
  const before = await startRegistry(t)
  for (const text of ['one', 'two', 'three', 'four']) {
    await pushBlob(before, 'app', Buffer.alloc(1 << 19, text))
  }
  const began = performance.now()
  const first = await before.scrubber.step({ bytesPerSecond: 1 << 19 })
  const seconds = (performance.now() - began) / 1000
  assert.ok(seconds >= first.bytes / (1 << 19) - 0.1, `${first.bytes} bytes in ${seconds} s`)
  assert.equal(first.finishedAt, undefined)
  assert.ok(first.blobs < 4)

  const registry = await before.restart()
  const rest = await registry.scrubber.step({})
  assert.equal(rest.startedAt, first.startedAt)
  assert.equal(rest.blobs, 4)
  assert.ok(rest.finishedAt)
  assert.notEqual((await registry.scrubber.step({})).blobs, 8)
})

test('another process goes on amid a region', async (t) => {
  const before = await startRegistry(t)
  for (const text of ['one', 'two', 'three', 'four']) {
    await pushBlob(before, 'app', Buffer.alloc(1 << 19, text))
  }
  await replicate(before, [EAST])
  let progress = await before.scrubber.step({ bytesPerSecond: 1 << 20 })
  while (progress.blobs < 5) progress = await before.scrubber.step({ bytesPerSecond: 1 << 20 })
  assert.equal(progress.finishedAt, undefined)
  const registry = await before.restart()
  const rest = await registry.scrubber.step({})
  assert.equal(rest.startedAt, progress.startedAt)
  assert.equal(rest.blobs, 8)
  assert.ok(rest.finishedAt)
})
