import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openAuthorities } from '../front/authorities.ts'
import { makeDataFolder } from '../storage/data-folder.ts'
import { openDatabase } from '../storage/database.ts'
import { checkBlobs, checkClock, checkFolder } from './data-checks.ts'
import { checkClients, checkCompileCache } from './machine-checks.ts'

async function temporary(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'causeway-checks-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

test('keys that others may read are found one by one, also of an authority', async (t) => {
  const folder = await makeDataFolder(join(await temporary(t), 'data'))
  await openAuthorities(folder.authorities, { registryDomain: 'azurecr.io' })
  await writeFile(join(folder.keys, 'keys.json'), '{}', { mode: 0o600 })
  assert.equal((await checkFolder(folder)).state, 'ok')
  for (const path of [
    join(folder.keys, 'keys.json'),
    join(folder.authorities, 'place-ca.json'),
    folder.backups,
  ]) {
    await chmod(path, 0o755)
    const finding = await checkFolder(folder)
    assert.equal(finding.state, 'failed')
    assert.ok(finding.found.includes(path), finding.found)
    await chmod(path, 0o700)
  }
})

test('blobs that are damaged are told of, those of the home before the copies of regions', async (t) => {
  const folder = await makeDataFolder(join(await temporary(t), 'data'))
  const { kysely, close } = await openDatabase(folder.database)
  t.after(close)
  assert.equal(checkBlobs(folder).state, 'ok')
  const damage = { digest: 'sha256:d', kind: 'mismatch', found_at: '2026-01-01T00:00:00Z' } as const
  await kysely
    .insertInto('registry_damaged_copies')
    .values({ region: 'eastus', ...damage })
    .execute()
  const copies = checkBlobs(folder)
  assert.equal(copies.state, 'warning')
  assert.match(copies.found, /^1 damaged in regions of replicas/)
  await kysely.insertInto('registry_damaged_blobs').values(damage).execute()
  const home = checkBlobs(folder)
  assert.equal(home.state, 'failed')
  assert.match(home.found, /^1 damaged, the first sha256:d/)
})

test('a clock that has gone back is noticed by what was written', async (t) => {
  const folder = await makeDataFolder(join(await temporary(t), 'data'))
  await openAuthorities(folder.authorities, { registryDomain: 'azurecr.io' })
  const now = new Date()
  await writeFile(folder.database, '')
  assert.equal((await checkClock(folder, now)).state, 'ok')
  const tomorrow = new Date(now.getTime() + 86_400_000)
  await utimes(folder.database, tomorrow, tomorrow)
  const finding = await checkClock(folder, now)
  assert.equal(finding.state, 'warning')
  assert.match(finding.found, /it has gone back/)
})

test('a cache of compiled code into which others may write is refused', async (t) => {
  const home = await temporary(t)
  assert.equal((await checkCompileCache(home)).state, 'ok')
  const cache = join(home, '.cache', 'causeway')
  await mkdir(cache, { recursive: true })
  await chmod(cache, 0o700)
  assert.equal((await checkCompileCache(home)).state, 'ok')
  await chmod(cache, 0o777)
  assert.equal((await checkCompileCache(home)).state, 'failed')
  await rm(cache, { recursive: true })
  await symlink(tmpdir(), cache)
  assert.equal((await checkCompileCache(home)).state, 'failed')
})

test('clients are told of, and none is needed', async (t) => {
  const folder = await temporary(t)
  await writeFile(join(folder, 'az'), '', { mode: 0o755 })
  const finding = await checkClients(folder)
  assert.equal(finding.state, 'ok')
  assert.match(finding.found, /^az, /)
})
