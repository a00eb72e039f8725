import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { StorageFull } from '../blob-store.ts'
import { createFileBlobStore } from '../file-blob-store.ts'
import { testBlobStore } from './blob-store-suite.ts'
import { inChunks, OWNER, seen } from './blobs.ts'
import { Crashed, createFaultyBlobStore } from './faulty-blob-store.ts'

async function openStore(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-blobs-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const open = async () => createFaultyBlobStore(await createFileBlobStore(folder))
  return { store: await open(), reopen: open }
}

testBlobStore('a store that can be told to fail, and was not', openStore)

test('fails at the step that it was told, once', async (t) => {
  const { store } = await openStore(t)
  store.arm({ kind: 'full', step: 2 })
  const upload = await store.begin(OWNER)
  await assert.rejects(upload.append(inChunks(Buffer.from('bytes'))), StorageFull)
  await upload.append(inChunks(Buffer.from('bytes')))
  assert.deepEqual(store.steps, ['begin', 'append', 'append'])
  assert.equal(await upload.commit(digestOf(Buffer.from('bytes')), seen), 'committed')
})

test('is dead after a crash, and what was done before is there for the next', async (t) => {
  const { store, reopen } = await openStore(t)
  const upload = await store.begin(OWNER)
  store.arm({ kind: 'crash', step: 1 })
  await assert.rejects(upload.append(inChunks(Buffer.from('bytes'))), Crashed)
  await assert.rejects(store.begin(OWNER), Crashed)
  assert.equal((await (await reopen()).resume(OWNER, upload.id))?.received, 5)
})
