import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { pushImage, startRegistry } from '../testing/registry-fixture.ts'
import { isNamedBy } from './first-push-wins.ts'

for (const [patterns, repository, isNamed] of [
  [['*'], 'any/app', true],
  [['prod/*'], 'prod/app', true],
  [['prod/*'], 'prod/team/app', true],
  [['prod/*'], 'prod', false],
  [['prod/*'], 'production', false],
  [['prod*'], 'production', true],
  [['app'], 'app', true],
  [['app'], 'app/two', false],
  [['b', 'a*'], 'app', true],
  [[], 'app', false],
] as const) {
  test(`[${patterns}] ${isNamed ? 'names' : 'does not name'} ${repository}`, () => {
    assert.equal(isNamedBy(patterns, repository), isNamed)
  })
}

test('409: the first push of a tag wins, where the registry says so', async (t) => {
  const registry = await startRegistry(t)
  registry.facts = { ...registry.facts, immutableTagsIn: ['prod/*'] }
  const first = await pushImage(registry, 'prod/app', 'v1')
  const { answer } = await pushImage(registry, 'prod/app', 'v1', 'other')
  assert.equal(answer.status, 409)
  assert.deepEqual(answer.json(), {
    errors: [
      {
        code: 'DENIED',
        message: `tag 'v1' of 'prod/app' stays on ${first.digest}, which was pushed first; push under another tag`,
        detail: { name: 'prod/app', tag: 'v1', digest: first.digest },
      },
    ],
  })
  const held = await registry.send('HEAD', '/v2/prod/app/manifests/v1')
  assert.equal(held.headers['docker-content-digest'], first.digest)
  // The same image again, another tag, and another repository are no matter.
  assert.equal((await pushImage(registry, 'prod/app', 'v1')).answer.status, 201)
  assert.equal((await pushImage(registry, 'prod/app', 'v2', 'other')).answer.status, 201)
  for (const text of ['one', 'two']) {
    assert.equal((await pushImage(registry, 'dev/app', 'v1', text)).answer.status, 201)
  }
})

test('of many pushes of a tag at once one wins, and the others are told', async (t) => {
  const registry = await startRegistry(t)
  registry.facts = { ...registry.facts, immutableTagsIn: ['*'] }
  const { body } = await pushImage(registry, 'app', 'base')
  const pushes = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      registry.send('PUT', '/v2/app/manifests/v1', {
        body: JSON.stringify({ ...JSON.parse(body), annotations: { index: String(index) } }),
        headers: { 'content-type': OCI_MANIFEST },
      }),
    ),
  )
  const won = pushes.filter(({ status }) => status === 201)
  assert.equal(won.length, 1)
  assert.ok(pushes.every(({ status }) => status === 201 || status === 409))
  const held = await registry.send('HEAD', '/v2/app/manifests/v1')
  assert.equal(held.headers['docker-content-digest'], won[0]?.headers['docker-content-digest'])
})

test('a tag that stays may be deleted by who may delete, and is free then', async (t) => {
  const registry = await startRegistry(t)
  registry.facts = { ...registry.facts, immutableTagsIn: ['*'] }
  await pushImage(registry, 'app', 'v1')
  assert.equal((await registry.send('DELETE', '/acr/v1/app/_tags/v1')).status, 202)
  assert.equal((await pushImage(registry, 'app', 'v1', 'other')).answer.status, 201)
})
