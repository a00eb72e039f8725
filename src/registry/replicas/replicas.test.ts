import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Digest, hexOf } from '../../lib/digest.ts'
import { type Fixture, pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

const EAST = { region: 'eastus', host: 'myregistry.eastus.data.azurecr.io' }
const KEY = { registry: 'uid-1', region: 'eastus' }

async function addReplica(registry: Fixture): Promise<void> {
  const { dataEndpoints } = registry.facts
  registry.facts = {
    ...registry.facts,
    redirectsBlobs: true,
    dataEndpoints: [...dataEndpoints, EAST],
  }
  await registry.plane.keepReplicas()
}

async function removeReplica(registry: Fixture): Promise<void> {
  const { dataEndpoints } = registry.facts
  const left = dataEndpoints.filter(({ region }) => region !== 'eastus')
  registry.facts = { ...registry.facts, dataEndpoints: left }
  await registry.plane.keepReplicas()
}

const fileIn = (registry: Fixture, digest: Digest) =>
  join(registry.folder, 'replicas/eastus/blobs/sha256', hexOf(digest).slice(0, 2), hexOf(digest))

const isCopied = (registry: Fixture, digest: Digest): Promise<boolean> =>
  readFile(fileIn(registry, digest)).then(
    () => true,
    () => false,
  )

/** Follows the redirect of a blob as clients do. */
async function pull(registry: Fixture, digest: Digest) {
  const redirect = await registry.send('GET', `/v2/team/app/blobs/${digest}`)
  assert.equal(redirect.status, 307)
  const { host, pathname, search } = new URL(String(redirect.headers.location))
  const answer = await registry.send('GET', `${pathname}${search}`, { host, authorization: '' })
  return { host, answer }
}

async function startReplicated(t: TestContext): Promise<Fixture> {
  const registry = await startRegistry(t)
  await addReplica(registry)
  return registry
}

test('a blob is copied to the replicas that are there when it comes, and to those that come later', async (t) => {
  const registry = await startRegistry(t)
  const before = await pushBlob(registry, 'team/app', Buffer.from('before'))
  await addReplica(registry)
  const { layer } = await pushImage(registry, 'team/app', 'v1')
  await registry.plane.replicated()
  assert.ok(await isCopied(registry, before))
  assert.ok(await isCopied(registry, layer))
  assert.deepEqual(await registry.plane.replicaState(KEY), {
    pendingBlobs: 0,
    pendingBytes: 0,
    since: (await registry.plane.replicaState(KEY))?.since,
    lastError: undefined,
  })
})

test('a client in the region of a replica is sent there, everybody else to the home', async (t) => {
  const registry = await startReplicated(t)
  const { layer } = await pushImage(registry, 'team/app', 'v1')
  await registry.plane.replicated()
  assert.equal((await pull(registry, layer)).host, 'myregistry.westeurope.data.azurecr.io')
  registry.regions.set('net-east', 'eastus')
  registry.origin = { via: 'public', place: 'net-east', address: '203.0.113.7' }
  // What comes from there is the copy: the home has another one by now.
  await writeFile(fileIn(registry, layer), 'layer of the replica')
  const { host, answer } = await pull(registry, layer)
  assert.equal(host, EAST.host)
  assert.match(answer.body.toString(), /^layer of/)
  registry.regions.set('net-east', 'japaneast')
  assert.equal((await pull(registry, layer)).host, 'myregistry.westeurope.data.azurecr.io')
})

test('a region that lacks a blob gives out that of the home, and has it the next time', async (t) => {
  const registry = await startReplicated(t)
  registry.regions.set('net-east', 'eastus')
  registry.origin = { via: 'public', place: 'net-east', address: '203.0.113.7' }
  const { layer } = await pushImage(registry, 'team/app', 'v1')
  await registry.plane.replicated()
  await rm(fileIn(registry, layer))
  const { host, answer } = await pull(registry, layer)
  assert.deepEqual([host, answer.body.toString()], [EAST.host, 'layer v1'])
  await registry.plane.replicated()
  assert.ok(await isCopied(registry, layer))
})

test('what waits survives a restart', async (t) => {
  const registry = await startRegistry(t)
  // A file where the region's folder is to be: no copy can succeed.
  await writeFile(join(registry.folder, 'replicas'), '')
  await addReplica(registry)
  const { layer } = await pushImage(registry, 'team/app', 'v1')
  await registry.plane.replicated()
  const behind = await registry.plane.replicaState(KEY)
  assert.deepEqual([behind?.pendingBlobs, behind?.lastError], [2, 'the disk of the region failed'])
  await rm(join(registry.folder, 'replicas'))
  const later = await registry.restart()
  later.now = new Date(registry.now.getTime() + 60_000)
  later.facts = registry.facts
  await later.plane.keepReplicas()
  await later.plane.replicated()
  assert.ok(await isCopied(later, layer))
  assert.equal((await later.plane.replicaState(KEY))?.pendingBlobs, 0)
})

test('while a region cannot be read, its clients get what the home has', async (t) => {
  const registry = await startReplicated(t)
  const { layer } = await pushImage(registry, 'team/app', 'v1')
  await registry.plane.replicated()
  registry.regions.set('net-east', 'eastus')
  registry.origin = { via: 'public', place: 'net-east', address: '203.0.113.7' }
  await rm(join(registry.folder, 'replicas/eastus/blobs'), { recursive: true })
  await writeFile(join(registry.folder, 'replicas/eastus/blobs'), 'no folder')
  assert.equal((await pull(registry, layer)).answer.body.toString(), 'layer v1')
})

test('a blob that has changed on disk at home is not copied, and the state says so', async (t) => {
  const registry = await startRegistry(t)
  const digest = await pushBlob(registry, 'team/app', Buffer.from('whole'))
  const hex = hexOf(digest)
  await writeFile(join(registry.folder, 'content/blobs/sha256', hex.slice(0, 2), hex), 'wrong')
  await addReplica(registry)
  await registry.plane.replicated()
  assert.equal(await isCopied(registry, digest), false)
  assert.match(
    String((await registry.plane.replicaState(KEY))?.lastError),
    /do not have this digest/,
  )
  assert.deepEqual(await readdir(join(registry.folder, 'replicas/eastus/uploads/uid-1')), [])
})

test('a replica that goes waits for nothing any more', async (t) => {
  const registry = await startReplicated(t)
  await removeReplica(registry)
  assert.equal(await registry.plane.replicaState(KEY), undefined)
  const { layer } = await pushImage(registry, 'team/app', 'v1')
  await registry.plane.replicated()
  assert.equal(await isCopied(registry, layer), false)
})
