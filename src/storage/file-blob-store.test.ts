import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { link, mkdtemp, open, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Digest, digestOf, hexOf } from '../lib/digest.ts'
import type { BlobStore } from './blob-store.ts'
import { createFileBlobStore } from './file-blob-store.ts'

const OWNER = { registry: 'uid-1', repository: 'team/app' }
const seen = async () => true
const BYTES = randomBytes(3 * 1024 * 1024 + 5)

async function* inChunks(bytes: Buffer, size = 65_536) {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

async function* failingAfter(bytes: Buffer) {
  yield* inChunks(bytes)
  throw new Error('the client went away')
}

async function openStore(t: { after(hook: () => Promise<void>): void }) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-blobs-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return { folder, store: await createFileBlobStore(folder) }
}

async function readAll(store: BlobStore, bytes: Buffer): Promise<Buffer | undefined> {
  const reader = await store.open(digestOf(bytes))
  if (!reader) return undefined
  const found = Buffer.alloc(bytes.length)
  const read = await reader.read(found, 0)
  await reader.close()
  return found.subarray(0, read)
}

test('a blob is a file named by its digest, and its upload is gone', async (t) => {
  const { folder, store } = await openStore(t)
  const upload = await store.begin(OWNER)
  await upload.append(inChunks(BYTES))
  assert.equal(await upload.commit(digestOf(BYTES), seen), 'committed')
  assert.ok((await readAll(store, BYTES))?.equals(BYTES))
  const hex = hexOf(digestOf(BYTES))
  assert.deepEqual(await readdir(join(folder, 'blobs', 'sha256', hex.slice(0, 2))), [hex])
  assert.deepEqual(await readdir(join(folder, 'uploads', 'uid-1')), [])
  assert.equal(await store.resume(OWNER, upload.id), undefined)
})

test('with another digest nothing becomes a blob, and the upload stays open', async (t) => {
  const { store } = await openStore(t)
  const upload = await store.begin(OWNER)
  await upload.append(inChunks(BYTES))
  const other = Buffer.from('other')
  assert.equal(await upload.commit(digestOf(other), seen), 'mismatch')
  assert.equal(await readAll(store, other), undefined)
  assert.equal(await upload.commit(digestOf(BYTES), seen), 'committed')
})

test('what a broken source gave is kept, and hashed with the rest', async (t) => {
  const { store } = await openStore(t)
  const upload = await store.begin(OWNER)
  const half = 1024 * 1024 + 3
  await assert.rejects(upload.append(failingAfter(BYTES.subarray(0, half))), /went away/)
  assert.equal(upload.received, half)
  await upload.append(inChunks(BYTES.subarray(half), 1000))
  assert.equal(await upload.commit(digestOf(BYTES), seen), 'committed')
})

test('another process takes up an upload where it stopped', async (t) => {
  const { folder, store } = await openStore(t)
  const upload = await store.begin(OWNER)
  await upload.append(inChunks(BYTES.subarray(0, 100_000)))
  const later = await createFileBlobStore(folder)
  const [resumed, same] = await Promise.all([
    later.resume(OWNER, upload.id),
    later.resume(OWNER, upload.id),
  ])
  assert.equal(resumed?.received, 100_000)
  assert.equal(resumed, same)
  await resumed?.append(inChunks(BYTES.subarray(100_000)))
  assert.equal(await resumed?.commit(digestOf(BYTES, 'sha512'), seen), 'committed')
})

test('an upload is found under its owner only, and discarded with its registry', async (t) => {
  const { store } = await openStore(t)
  const upload = await store.begin(OWNER)
  for (const owner of [
    { ...OWNER, registry: 'uid-2' },
    { ...OWNER, repository: 'team' },
  ]) {
    assert.equal(await store.resume(owner, upload.id), undefined)
  }
  await store.discardUploads('uid-1')
  assert.equal(upload.state, 'done')
  assert.equal(await store.resume(OWNER, upload.id), undefined)
  assert.equal((await store.begin(OWNER)).received, 0)
})

test('an upload that nobody went on with for a week is gone after a start, a younger one is not', async (t) => {
  const { folder, store } = await openStore(t)
  const [abandoned, young] = [await store.begin(OWNER), await store.begin(OWNER)]
  const uploads = join(folder, 'uploads', 'uid-1')
  const [name = ''] = (await readdir(uploads)).filter((each) => each.endsWith(abandoned.id))
  const eightDaysAgo = Date.now() / 1000 - 8 * 24 * 60 * 60
  await utimes(join(uploads, name), eightDaysAgo, eightDaysAgo)
  const later = await createFileBlobStore(folder)
  assert.equal(await later.resume(OWNER, abandoned.id), undefined)
  assert.equal((await later.resume(OWNER, young.id))?.received, 0)
})

test('a store that runs for days discards what was abandoned meanwhile', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const { store } = await openStore(t)
  const abandoned = await store.begin(OWNER)
  t.mock.timers.tick(8 * 24 * 60 * 60 * 1000)
  await store.begin(OWNER)
  assert.equal(abandoned.state, 'done')
  assert.equal(await store.resume(OWNER, abandoned.id), undefined)
})

for (const [what, bytes] of [
  ['while a large one arrives', Buffer.alloc(40 * 1024 * 1024)],
  ['at its end', BYTES],
] as const) {
  test(`a blob that the disk fails to take ${what} is never acknowledged, and its upload is gone`, async (t) => {
    const { folder, store } = await openStore(t)
    const upload = await store.begin(OWNER)
    const handle = await open(folder)
    const failing = t.mock.method(Object.getPrototypeOf(handle), 'datasync', async () => {
      throw new Error('input/output error')
    })
    await handle.close()
    const push = async () => {
      await upload.append(inChunks(bytes))
      return upload.commit(digestOf(bytes), seen)
    }
    await assert.rejects(push(), /input\/output error/)
    failing.mock.restore()
    assert.equal(upload.state, 'done')
    assert.equal(await store.resume(OWNER, upload.id), undefined)
    assert.equal(await readAll(store, bytes), undefined)
  })
}

async function put(store: BlobStore, bytes: Buffer, isSeen = seen) {
  const upload = await store.begin(OWNER)
  await upload.append(inChunks(bytes))
  await upload.commit(digestOf(bytes), isSeen)
  return digestOf(bytes)
}

async function listed(store: BlobStore, after?: Digest): Promise<readonly Digest[]> {
  const found: Digest[] = []
  for await (const { digest } of store.list(after)) found.push(digest)
  return found
}

test('blobs are listed in the order of their digests, from any of them on', async (t) => {
  const { store } = await openStore(t)
  const digests: Digest[] = []
  for (let index = 0; index < 20; index++) digests.push(await put(store, Buffer.from(`${index}`)))
  digests.sort()
  assert.deepEqual(await listed(store), digests)
  for (const [index, digest] of digests.entries()) {
    assert.deepEqual(await listed(store, digest), digests.slice(index + 1))
  }
})

test('a removed blob is gone for whoever comes, and whoever reads it reads on', async (t) => {
  const { folder, store } = await openStore(t)
  const digest = await put(store, BYTES)
  const reader = await store.open(digest)
  await store.remove(digest)
  assert.equal(await store.has(digest), false)
  assert.equal(await store.open(digest), undefined)
  await store.reclaim()
  assert.deepEqual(await readdir(join(folder, 'removed')), [])
  const found = Buffer.alloc(BYTES.length)
  assert.equal(await reader?.read(found, 0), BYTES.length)
  await reader?.close()
  assert.ok(found.equals(BYTES))
  // A second time there is nothing to do.
  await store.remove(digest)
})

test('a blob that is removed before it is seen is put there again, and given up at last', async (t) => {
  const { folder, store } = await openStore(t)
  let asked = 0
  const removedOnce = async () => {
    asked += 1
    if (asked === 1) await store.remove(digestOf(BYTES))
    return store.has(digestOf(BYTES))
  }
  await put(store, BYTES, removedOnce)
  assert.equal(asked, 2)
  assert.ok((await readAll(store, BYTES))?.equals(BYTES))
  await assert.rejects(
    put(store, BYTES, async () => false),
    /is removed again and again/,
  )
  assert.deepEqual(await readdir(join(folder, 'uploads', 'uid-1')), [])
})

test('only the blob that was read is set aside, not one that took its place', async (t) => {
  const { folder, store } = await openStore(t)
  const digest = await put(store, BYTES)
  const first = await store.open(digest)
  await put(store, BYTES)
  const second = await store.open(digest)
  assert.ok(first && second)
  assert.equal(await store.quarantine(digest, first), false)
  assert.equal(await store.has(digest), true)
  assert.equal(await store.quarantine(digest, second), true)
  assert.equal(await store.has(digest), false)
  for (const reader of [first, second]) await reader.close()
  assert.deepEqual(await readdir(join(folder, 'quarantine')), [digest.replace(':', '-')])
})

test('an upload that became a blob before its process ended takes no more bytes', async (t) => {
  const { folder, store } = await openStore(t)
  const upload = await store.begin(OWNER)
  await upload.append(inChunks(BYTES))
  const [name = ''] = await readdir(join(folder, 'uploads', 'uid-1'))
  const file = join(folder, 'uploads', 'uid-1', name)
  const hex = hexOf(digestOf(BYTES))
  await link(file, join(folder, 'blobs', 'sha256', hex.slice(0, 2), hex))

  const next = await createFileBlobStore(folder)
  assert.equal(await next.resume(OWNER, upload.id), undefined)
  assert.deepEqual(await readdir(join(folder, 'uploads', 'uid-1')), [])
  assert.ok((await readAll(next, BYTES))?.equals(BYTES))
})
