import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OCI_INDEX } from '../manifests/manifest.ts'
import { startImport } from '../testing/import-fixture.ts'
import { index, putManifest } from '../testing/oci-content.ts'
import { type Fixture, pushBlob } from '../testing/registry-fixture.ts'

const LAYER = Buffer.from('a layer of the cache')
const CONFIG = Buffer.from('{"layers":[]}')

/** As BuildKit exports its cache: an index that lists layers and a config, and no manifest. */
async function pushCache(registry: Fixture) {
  const listed = []
  for (const [bytes, mediaType] of [
    [LAYER, 'application/vnd.oci.image.layer.v1.tar+gzip'],
    [CONFIG, 'application/vnd.buildkit.cacheconfig.v0'],
  ] as const) {
    const digest = await pushBlob(registry, 'team/app', bytes)
    listed.push({ mediaType, digest, size: bytes.length })
  }
  const options = { mediaType: OCI_INDEX, reference: 'v1' }
  const { digest } = await putManifest(registry, 'team/app', index(listed), options)
  return { digest, blobs: listed.map((each) => each.digest) }
}

async function assertArrived(
  registry: Fixture,
  { digest, blobs }: Awaited<ReturnType<typeof pushCache>>,
) {
  const { headers } = await registry.send('GET', '/v2/app/manifests/v1')
  assert.equal(headers['docker-content-digest'], digest)
  for (const blob of blobs) {
    assert.equal((await registry.send('HEAD', `/v2/app/blobs/${blob}`)).status, 200)
  }
}

test('an index of blobs comes from elsewhere with its blobs', async (t) => {
  const { source, target, open, copy } = await startImport(t)
  const cache = await pushCache(source)
  open()
  await copy()
  await assertArrived(target, cache)
})

test('an index of blobs is copied within a registry with its blobs', async (t) => {
  const { target, copy } = await startImport(t)
  const cache = await pushCache(target)
  await copy({ from: { registryUid: 'uid-1' } })
  await assertArrived(target, cache)
})
