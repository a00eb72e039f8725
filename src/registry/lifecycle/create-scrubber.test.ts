import assert from 'node:assert/strict'
import { readdir, rm, writeFile } from 'node:fs/promises'
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
  assert.deepEqual(found, { blobs: 2, bytes, allBlobs: 2, allBytes: bytes, damaged: [] })
})

test('a blob with other bytes is set aside, refused with the reason, and repaired by a push', async (t) => {
  const registry = await startRegistry(t)
  registry.now = new Date('2026-01-02T00:00:00.000Z')
  const { layer } = await pushImage(registry, 'app', 'v1')
  await writeFile(fileOf(registry, layer), 'rotten v1')
  const { damaged } = await registry.scrubber.step({})
  const foundAt = '2026-01-02T00:00:00.000Z'
  assert.deepEqual(damaged, [
    { digest: layer, kind: 'mismatch', foundAt, in: [`${registry.address}/app`] },
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
