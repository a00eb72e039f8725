import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { link, mkdtemp, open, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { digestOf, hexOf } from '../lib/digest.ts'
import { createFileBlobStore } from './file-blob-store.ts'
import { testBlobStore } from './testing/blob-store-suite.ts'
import { inChunks, OWNER, put, readAll, seen } from './testing/blobs.ts'

const BYTES = randomBytes(3 * 1024 * 1024 + 5)
const DAY_SECONDS = 24 * 60 * 60

async function openStore(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-blobs-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return {
    folder,
    store: await createFileBlobStore(folder),
    reopen: () => createFileBlobStore(folder),
  }
}

testBlobStore('a folder of files', openStore)

test('a blob is a file named by its digest, and its upload is gone', async (t) => {
  const { folder, store } = await openStore(t)
  const upload = await store.begin(OWNER)
  await upload.append(inChunks(BYTES))
  await upload.commit(digestOf(BYTES), seen)
  const hex = hexOf(digestOf(BYTES))
  assert.deepEqual(await readdir(join(folder, 'blobs', 'sha256', hex.slice(0, 2))), [hex])
  assert.deepEqual(await readdir(join(folder, 'uploads', 'uid-1')), [])
})

test('an upload that nobody went on with for a week is gone after a start, a younger one is not', async (t) => {
  const { folder, store, reopen } = await openStore(t)
  const [abandoned, young] = [await store.begin(OWNER), await store.begin(OWNER)]
  const uploads = join(folder, 'uploads', 'uid-1')
  const [name = ''] = (await readdir(uploads)).filter((each) => each.endsWith(abandoned.id))
  const eightDaysAgo = Date.now() / 1000 - 8 * DAY_SECONDS
  await utimes(join(uploads, name), eightDaysAgo, eightDaysAgo)
  const later = await reopen()
  assert.equal(await later.resume(OWNER, abandoned.id), undefined)
  assert.equal((await later.resume(OWNER, young.id))?.received, 0)
})

test('an upload that another process has removed is unknown to whoever knew it', async (t) => {
  const { folder, store } = await openStore(t)
  const abandoned = await store.begin(OWNER)
  await abandoned.append(inChunks(BYTES))
  const uploads = join(folder, 'uploads', 'uid-1')
  const [name = ''] = await readdir(uploads)
  const eightDaysAgo = Date.now() / 1000 - 8 * DAY_SECONDS
  await utimes(join(uploads, name), eightDaysAgo, eightDaysAgo)
  await createFileBlobStore(folder, { isShared: true })
  assert.deepEqual(await readdir(uploads), [])
  assert.equal(await store.resume(OWNER, abandoned.id), undefined)
  assert.equal(abandoned.state, 'done')
})

test('a store that runs for days discards what was abandoned meanwhile', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const { store } = await openStore(t)
  const abandoned = await store.begin(OWNER)
  t.mock.timers.tick(8 * DAY_SECONDS * 1000)
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
    assert.equal(await store.open(digestOf(bytes)), undefined)
  })
}

test('a removed blob takes space until it is reclaimed, by a later process too', async (t) => {
  const { folder, store, reopen } = await openStore(t)
  await store.remove(await put(store, BYTES))
  assert.equal((await readdir(join(folder, 'removed'))).length, 1)
  await (await reopen()).reclaim()
  assert.deepEqual(await readdir(join(folder, 'removed')), [])
})

test('what is set aside lies in a folder of its own, and goes with its blob', async (t) => {
  const { folder, store } = await openStore(t)
  const digest = await put(store, BYTES)
  const reader = await store.open(digest)
  assert.ok(reader)
  await store.quarantine(digest, reader)
  await reader.close()
  assert.deepEqual(await readdir(join(folder, 'quarantine')), [digest.replace(':', '-')])
  await store.remove(digest)
  assert.deepEqual(await readdir(join(folder, 'quarantine')), [])
})

test('an upload that became a blob before its process ended takes no more bytes', async (t) => {
  const { folder, store, reopen } = await openStore(t)
  const upload = await store.begin(OWNER)
  await upload.append(inChunks(BYTES))
  const [name = ''] = await readdir(join(folder, 'uploads', 'uid-1'))
  const file = join(folder, 'uploads', 'uid-1', name)
  const hex = hexOf(digestOf(BYTES))
  await link(file, join(folder, 'blobs', 'sha256', hex.slice(0, 2), hex))

  const next = await reopen()
  assert.equal(await next.resume(OWNER, upload.id), undefined)
  assert.deepEqual(await readdir(join(folder, 'uploads', 'uid-1')), [])
  assert.ok((await readAll(next, digestOf(BYTES)))?.equals(BYTES))
})
