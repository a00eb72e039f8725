import assert from 'node:assert/strict'
import { link, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createReplicaStores } from './replica-stores.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-replicas-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

test('the store of a region is opened once, also by those who ask at the same time', async (t) => {
  const stores = createReplicaStores(await temporaryFolder(t))
  const [one, other] = await Promise.all([stores.store('eastus'), stores.store('eastus')])
  assert.equal(one, other)
  assert.notEqual(await stores.store('westus'), one)
  assert.deepEqual(await stores.regions(), ['eastus', 'westus'])
})

test('a store that could not be opened is tried again', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'eastus'), 'no folder')
  const stores = createReplicaStores(folder)
  await assert.rejects(stores.store('eastus'))
  await rm(join(folder, 'eastus'))
  assert.ok(await stores.store('eastus'))
})

for (const { isShared, left } of [
  { isShared: true, left: ['placed'] },
  { isShared: false, left: [] },
]) {
  test(`what another process puts in place just now ${isShared ? 'stays with it' : 'is taken for left behind'}`, async (t) => {
    const folder = await temporaryFolder(t)
    const uploads = join(folder, 'eastus/uploads/uid')
    await mkdir(uploads, { recursive: true })
    await writeFile(join(uploads, 'placed'), 'bytes')
    await link(join(uploads, 'placed'), join(folder, 'blob'))
    await createReplicaStores(folder, { isShared }).store('eastus')
    assert.deepEqual(await readdir(uploads), left)
  })
}
