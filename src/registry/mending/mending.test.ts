import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Digest, digestOf, hexOf } from '../../lib/digest.ts'
import { type BlobReader, type BlobStore, StorageFull } from '../../storage/blob-store.ts'
import { type Fixture, pushBlob, startRegistry } from '../testing/registry-fixture.ts'

const EAST = { region: 'eastus', host: 'myregistry.eastus.data.azurecr.io' }
const KEY = { registry: 'uid-1', region: 'eastus' }
const MIB = 1 << 20
const WHOLE = randomBytes(3 * MIB + 7)
const DIGEST = digestOf(WHOLE)
const PATH = `/v2/app/blobs/${DIGEST}`

const fileIn = (folder: string, digest: Digest) =>
  join(folder, 'blobs/sha256', hexOf(digest).slice(0, 2), hexOf(digest))
const atHome = ({ folder }: Fixture, digest = DIGEST) => fileIn(join(folder, 'content'), digest)
const inEast = ({ folder }: Fixture, digest = DIGEST) =>
  fileIn(join(folder, 'replicas/eastus'), digest)

type Wrap = (blobs: BlobStore) => BlobStore

/** A registry with a replica that has its one blob. */
async function startReplicated(t: TestContext, wrap: Wrap = (blobs) => blobs): Promise<Fixture> {
  const registry = await startRegistry(t, undefined, undefined, wrap)
  const [home] = registry.facts.dataEndpoints
  assert.ok(home)
  registry.facts = { ...registry.facts, dataEndpoints: [home, EAST] }
  await registry.plane.keepReplicas()
  assert.equal(await pushBlob(registry, 'app', WHOLE), DIGEST)
  await registry.plane.replicated()
  return registry
}

/** A store in which a file of the disk cannot be read from some byte on. */
function failingDisk() {
  const failing = { file: '', from: 0 }
  const wrapReader = (reader: BlobReader): BlobReader => ({
    ...reader,
    async read(buffer, position) {
      if ((await reader.identify()) !== failing.file) return reader.read(buffer, position)
      if (position >= failing.from) throw Object.assign(new Error('EIO'), { code: 'EIO' })
      return reader.read(buffer.subarray(0, failing.from - position), position)
    },
  })
  const wrap: Wrap = (blobs) => ({
    ...blobs,
    async open(digest) {
      const reader = await blobs.open(digest)
      return reader && wrapReader(reader)
    },
  })
  async function fail({ blobs }: Fixture, from: number): Promise<void> {
    const reader = await blobs.open(DIGEST)
    assert.ok(reader)
    failing.file = await reader.identify()
    failing.from = from
    await reader.close()
  }
  return { wrap, fail }
}

async function isServed(registry: Fixture): Promise<void> {
  const answer = await registry.send('GET', PATH)
  assert.equal(answer.status, 200)
  assert.equal(digestOf(answer.body), DIGEST)
}

/** Of the home, and of regions. */
async function damagedIn({ database }: Fixture) {
  const blobs = await database.kysely.selectFrom('registry_damaged_blobs').selectAll().execute()
  const copies = await database.kysely.selectFrom('registry_damaged_copies').selectAll().execute()
  return [blobs.map(({ kind }) => kind), copies.map(({ kind }) => kind)]
}

test('what the scrub sets aside at home is brought back from a replica, at once', async (t) => {
  const registry = await startReplicated(t)
  await writeFile(atHome(registry), 'rotten')
  const { damaged } = await registry.scrubber.step({})
  assert.deepEqual(damaged, [])
  assert.equal(digestOf(await readFile(atHome(registry))), DIGEST)
  const quarantine = join(registry.folder, 'content/quarantine')
  assert.equal(await readFile(join(quarantine, `sha256-${hexOf(DIGEST)}`), 'utf8'), 'rotten')
  assert.deepEqual(await damagedIn(registry), [[], []])
  await isServed(registry)
})

test('a damaged blob is served and brought home when a replica has it whole, once for all who ask', async (t) => {
  let copies = 0
  const registry = await startReplicated(t, (blobs) => ({
    ...blobs,
    begin(owner) {
      if (owner.repository === '') copies += 1
      return blobs.begin(owner)
    },
  }))
  await rename(inEast(registry), `${inEast(registry)}.away`)
  await writeFile(atHome(registry), 'rotten')
  assert.equal((await registry.scrubber.step({})).damaged.length, 2)
  assert.equal((await registry.send('HEAD', PATH)).status, 404)
  const refused = await registry.send('GET', PATH)
  assert.deepEqual([refused.status, refused.code], [404, 'BLOB_UNKNOWN'])
  await rename(`${inEast(registry)}.away`, inEast(registry))
  await Promise.all([isServed(registry), isServed(registry), isServed(registry)])
  assert.equal(copies, 1)
  assert.equal((await registry.send('HEAD', PATH)).status, 200)
  assert.equal(digestOf(await readFile(atHome(registry))), DIGEST)
  // Who has no such blob gets none by that.
  assert.equal((await registry.send('GET', `/v2/other/blobs/${DIGEST}`)).status, 404)
})

test('a file that is missing is noticed when it is read, and brought back', async (t) => {
  const registry = await startReplicated(t)
  await rm(atHome(registry))
  await isServed(registry)
  assert.equal(digestOf(await readFile(atHome(registry))), DIGEST)
})

test('404: a file that is missing and that no region has, until it is pushed again', async (t) => {
  const registry = await startRegistry(t)
  await pushBlob(registry, 'app', WHOLE)
  await rm(atHome(registry))
  const answer = await registry.send('GET', PATH)
  assert.deepEqual([answer.status, answer.code], [404, 'BLOB_UNKNOWN'])
  assert.match(answer.body.toString(), /no region has them whole/)
  assert.equal((await registry.send('HEAD', PATH)).status, 404)
  await pushBlob(registry, 'app', WHOLE)
  await isServed(registry)
})

for (const [what, from] of [
  ['from the beginning', 0],
  ['in the middle', 2 * MIB + 5],
] as const) {
  test(`a client gets all of a blob that the disk cannot read ${what}`, async (t) => {
    const { wrap, fail } = failingDisk()
    const registry = await startReplicated(t, wrap)
    await fail(registry, from)
    await isServed(registry)
    assert.equal(digestOf(await readFile(atHome(registry))), DIGEST)
    assert.deepEqual(await readdir(join(registry.folder, 'content/quarantine')), [
      `sha256-${hexOf(DIGEST)}`,
    ])
    await isServed(registry)
  })
}

test('a client gets all of a blob whose file ends early', async (t) => {
  const registry = await startReplicated(t)
  await truncate(atHome(registry), 2 * MIB)
  await isServed(registry)
  assert.equal((await readFile(atHome(registry))).length, WHOLE.length)
})

test('a blob that cannot be read to its end, and is whole nowhere, is cut off and then refused', async (t) => {
  const { wrap, fail } = failingDisk()
  const registry = await startRegistry(t, undefined, undefined, wrap)
  await pushBlob(registry, 'app', WHOLE)
  await fail(registry, 2 * MIB)
  await assert.rejects(registry.send('GET', PATH))
  assert.equal((await registry.send('GET', PATH)).status, 404)
  assert.deepEqual(await damagedIn(registry), [['mismatch'], []])
})

test('wrong bytes of a replica are never put in place: it is set aside too, and gets them again with the home', async (t) => {
  const registry = await startReplicated(t)
  await writeFile(atHome(registry), 'rotten')
  await writeFile(inEast(registry), 'rotten as well')
  assert.equal((await registry.scrubber.step({})).damaged.length, 2)
  assert.equal((await registry.send('GET', PATH)).status, 404)
  await registry.plane.replicated()
  assert.deepEqual(await damagedIn(registry), [['mismatch'], ['mismatch']])
  const uploads = join(registry.folder, 'content/uploads/uid-1')
  assert.deepEqual(await readdir(uploads), [])
  assert.match(String((await registry.plane.replicaState(KEY))?.lastError), /no other region/)

  await pushBlob(registry, 'other', WHOLE)
  registry.now = new Date(registry.now.getTime() + 10 * 60_000)
  await registry.plane.mender.mend('eastus', DIGEST)
  await registry.plane.hasten(KEY, DIGEST, WHOLE.length)
  await registry.plane.replicated()
  assert.equal(digestOf(await readFile(inEast(registry))), DIGEST)
  assert.deepEqual(await damagedIn(registry), [[], []])
})

test('a blob that the home takes no bytes of is served from the region that has it whole', async (t) => {
  let isFull = false
  const registry = await startReplicated(t, (blobs) => ({
    ...blobs,
    async begin(owner) {
      if (isFull) throw new StorageFull()
      return blobs.begin(owner)
    },
  }))
  await writeFile(atHome(registry), 'rotten')
  isFull = true
  assert.equal((await registry.scrubber.step({})).damaged.length, 1)
  await isServed(registry)
  await isServed(registry)
  isFull = false
  registry.now = new Date(registry.now.getTime() + 61_000)
  await isServed(registry)
  assert.equal(digestOf(await readFile(atHome(registry))), DIGEST)
})

test('a client of a region whose copy ends early gets the rest from the home, and the region a new copy', async (t) => {
  const registry = await startReplicated(t)
  registry.regions.set('net-east', 'eastus')
  registry.origin = { via: 'public', place: 'net-east', address: '203.0.113.7' }
  await truncate(inEast(registry), MIB)
  await isServed(registry)
  await registry.plane.replicated()
  assert.equal((await readFile(inEast(registry))).length, WHOLE.length)
  assert.deepEqual(await damagedIn(registry), [[], []])
})

test('a replica gets from another region what the home has lost', async (t) => {
  const registry = await startReplicated(t)
  await rm(atHome(registry))
  const south = { region: 'southeastasia', host: 'myregistry.southeastasia.data.azurecr.io' }
  const { dataEndpoints } = registry.facts
  registry.facts = { ...registry.facts, dataEndpoints: [...dataEndpoints, south] }
  await registry.plane.keepReplicas()
  await registry.plane.replicated()
  const file = fileIn(join(registry.folder, 'replicas/southeastasia'), DIGEST)
  assert.equal(digestOf(await readFile(file)), DIGEST)
  assert.equal(digestOf(await readFile(atHome(registry))), DIGEST)
})
