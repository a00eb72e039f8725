import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failsAs } from '../testing/import-fixture.ts'
import { type Fixture, pushImage, startRegistry } from '../testing/registry-fixture.ts'

/** Imports `app:new` as `app:v1`, whatever is there. */
const importOver = (registry: Fixture, immutableTagsIn: readonly string[] = []) =>
  registry.plane.copyImage(
    {
      from: { registryUid: 'uid-1' },
      sourceImage: 'app:new',
      to: { registryUid: 'uid-1', immutableTagsIn },
      targetTags: ['app:v1'],
      untaggedTargetRepositories: [],
      force: true,
    },
    { who: 'a test' },
  )

const digestNow = async (registry: Fixture) =>
  (await registry.send('HEAD', '/v2/app/manifests/v1')).headers['docker-content-digest']

const set = (registry: Fixture, path: string, attributes: object) =>
  registry.send('PATCH', path, { body: JSON.stringify(attributes) })

test('an import moves no tag that is locked, even by force', async (t) => {
  const registry = await startRegistry(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  await pushImage(registry, 'app', 'new')
  await set(registry, '/acr/v1/app/_tags/v1', { writeEnabled: false })
  await assert.rejects(importOver(registry), failsAs('target-locked'))
  assert.equal(await digestNow(registry), digest)
  await set(registry, '/acr/v1/app/_tags/v1', { writeEnabled: true })
  await importOver(registry)
  assert.notEqual(await digestNow(registry), digest)
})

test('an import moves no tag that stays where it was pushed first', async (t) => {
  const registry = await startRegistry(t)
  const { digest } = await pushImage(registry, 'app', 'v1')
  await pushImage(registry, 'app', 'new')
  await assert.rejects(importOver(registry, ['a*']), failsAs('target-locked'))
  assert.equal(await digestNow(registry), digest)
})

test('an image that may not be read is not imported from', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'new')
  await set(registry, '/acr/v1/app/_tags/new', { readEnabled: false })
  await assert.rejects(importOver(registry), failsAs('source-not-allowed'))
  assert.equal((await registry.send('GET', '/v2/app/manifests/v1')).status, 404)
})
