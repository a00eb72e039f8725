import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

test('tells of each request what it was, how it ended, and what it carried', async (t) => {
  const registry = await startRegistry(t)
  const layer = randomBytes(300_000)
  const digest = await pushBlob(registry, 'app', layer)
  await registry.send('GET', `/v2/app/blobs/${digest}`)
  await registry.send('GET', '/v2/app/manifests/v1')
  await registry.send('GET', '/acr/v1/app', { authorization: '' })
  await registry.send('PURGE', '/v2/')
  await registry.quiet()
  const [pushed, pulled, ...rest] = registry.outcomes
  assert.deepEqual([pushed?.operation, pushed?.status], ['post_uploads', 201])
  assert.deepEqual([pulled?.operation, pulled?.status], ['get_blob', 200])
  assert.ok((pushed?.bytesReceived ?? 0) >= layer.length)
  assert.ok((pushed?.bytesReceived ?? 0) < layer.length + 2000)
  assert.ok((pulled?.bytesSent ?? 0) >= layer.length)
  assert.ok((pulled?.bytesSent ?? 0) < layer.length + 2000)
  assert.deepEqual(
    rest.map(({ operation, status }) => [operation, status]),
    [
      ['get_manifest', 404],
      ['get_acr_repository', 401],
      ['other_base', 405],
    ],
  )
  assert.ok(registry.outcomes.every(({ plane, seconds }) => plane === 'registry' && seconds > 0))
})

test('no operation holds a name that a client chose', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'some/where', 'v1')
  for (const path of [
    '/nowhere/some',
    '/v2/some/where',
    '/v2/..%2f',
    '/oauth2/some',
    '/acr/some',
  ]) {
    await registry.send('GET', path)
  }
  await registry.quiet()
  for (const { operation } of registry.outcomes) assert.doesNotMatch(operation, /some|where/)
})
