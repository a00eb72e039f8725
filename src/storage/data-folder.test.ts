import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  DataFolderInUse,
  lockDataFolder,
  makeDataFolder,
  openInstallation,
  refuseIncomplete,
} from './data-folder.ts'

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
  assert.equal((await stat(path)).mode & 0o777, 0o700)
})

test('others pass through a folder that root has prepared, and read nothing of it', async (t) => {
  const { path } = await newFolder(t)
  for (const [found, kept] of [
    [0o711, 0o711],
    [0o755, 0o700],
    [0o777, 0o700],
  ] as const) {
    await chmod(path, found)
    await makeDataFolder(path)
    assert.equal((await stat(path)).mode & 0o777, kept)
  }
})

test('ids and keys that a database was made with are never made anew', async (t) => {
  const folder = await newFolder(t)
  await refuseIncomplete(folder)
  await openInstallation(folder)
  await writeFile(folder.database, 'what was made with them')
  await assert.rejects(refuseIncomplete(folder), /keys\.json is missing or empty/)
  await writeFile(join(folder.keys, 'keys.json'), '{}')
  await refuseIncomplete(folder)
  await writeFile(join(folder.path, 'installation.json'), '{"tenantId":')
  await assert.rejects(openInstallation(folder), /installation\.json is damaged/)
})

test('a path that is too long for a socket, or is no folder, is refused in words', async (t) => {
  await assert.rejects(makeDataFolder(`/tmp/${'long'.repeat(30)}`), /too long for a socket/)
  const folder = await mkdtemp(join(tmpdir(), 'causeway-folder-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'file')
  await writeFile(file, '', { mode: 0o600 })
  for (const path of [file, '/proc/no-such/folder']) {
    await assert.rejects(makeDataFolder(path), /cannot be made or written/)
  }
  assert.equal((await stat(file)).mode & 0o777, 0o600)
})

test('a data folder keeps the registry domain that it was made with', async (t) => {
  const folder = await newFolder(t)
  const asked = { registryDomain: 'registry.example.com' }
  assert.equal((await openInstallation(folder, asked)).registryDomain, 'registry.example.com')
  assert.equal((await openInstallation(folder)).registryDomain, 'registry.example.com')
  await assert.rejects(openInstallation(folder, { registryDomain: 'other.example.com' }), {
    name: 'CannotStart',
    message: /was made for the registry domain registry\.example\.com.*data folder of its own/,
  })
})

test('a data folder made before domains were kept has that of the public cloud', async (t) => {
  const folder = await newFolder(t)
  const ids = { tenantId: 't', subscriptionId: 's' }
  await writeFile(join(folder.path, 'installation.json'), JSON.stringify(ids))
  assert.equal((await openInstallation(folder)).registryDomain, 'azurecr.io')
})
