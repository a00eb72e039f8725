import assert from 'node:assert/strict'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { DataFolderInUse, lockDataFolder, makeDataFolder, openInstallation } from './data-folder.ts'

async function newFolder(t: TestContext) {
  const path = await mkdtemp(join(tmpdir(), 'causeway-folder-'))
  t.after(() => rm(path, { recursive: true }))
  return makeDataFolder(path)
}

test('an installation has the same ids at every start, also when two begin it at once', async (t) => {
  const folder = await newFolder(t)
  const [one, two] = await Promise.all([openInstallation(folder), openInstallation(folder)])
  assert.match(one.tenantId, /^[\da-f-]{36}$/)
  assert.deepEqual(two, one)
  assert.deepEqual(await openInstallation(folder), one)
})

test('a data folder is served by one at a time', async (t) => {
  const folder = await newFolder(t)
  const lock = lockDataFolder(folder)
  assert.throws(() => lockDataFolder(folder), DataFolderInUse)
  lock.release()
  lockDataFolder(folder).release()
})

test('what holds secrets can be entered by its owner alone', async (t) => {
  const { path, keys, blobs, run } = await newFolder(t)
  for (const part of [keys, blobs, run]) assert.equal((await stat(part)).mode & 0o777, 0o700)
  assert.equal((await stat(path)).mode & 0o777, 0o711)
})
