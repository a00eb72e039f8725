import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'
import {
  artifact,
  EMPTY,
  index,
  MISSING,
  manifestDescriptor,
  nameSource,
  pushArtifact,
  putManifest,
} from '../testing/oci-content.ts'
import { startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
const registry = await startRegistry({ after })
const freshName = nameSource()
const MIB = 1024 * 1024

test('the registry MUST store the manifest in the exact bytes of the client', async () => {
  const app = freshName()
  await pushArtifact(registry, app)
  const strange = ` {"layers" : [] ,\n"é":"\\u00e9",  "config":${JSON.stringify(EMPTY)}, "schemaVersion":2, "x":{"y":[1.0]}}\n`
  const { digest } = await putManifest(registry, app, strange, { reference: 'v1' })
  for (const reference of ['v1', digest]) {
    const answer = await registry.send('GET', `/v2/${app}/manifests/${reference}`)
    assert.equal(answer.body.toString(), strange)
  }
})

test('a push MUST be answered 201 with the Location of a manifest that can be pulled', async () => {
  const app = freshName()
  for (const reference of [undefined, 'v1']) {
    const { answer, body } = await pushArtifact(registry, app, {}, reference)
    assert.equal(answer.status, 201)
    const pulled = await registry.send('GET', String(answer.headers.location))
    assert.equal(pulled.body.toString(), body)
  }
})

for (const algorithm of ['sha256', 'sha512'] as const) {
  test(`the Docker-Content-Digest MUST be the digest that the client gave, of ${algorithm} too`, async () => {
    const app = freshName()
    await pushArtifact(registry, app)
    const { answer, digest } = await putManifest(registry, app, artifact(), { algorithm })
    assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [201, digest])
    const pulled = await registry.send('GET', `/v2/${app}/manifests/${digest}`)
    assert.equal(pulled.headers['docker-content-digest'], digest)
  })
}

test('a tag may be pushed with a digest of SHA-512 beside it', async () => {
  const app = freshName()
  await pushArtifact(registry, app)
  const digest = digestOf(Buffer.from(JSON.stringify(artifact())), 'sha512')
  const reference = `v1?digest=${digest}`
  const { answer } = await putManifest(registry, app, artifact(), { reference })
  assert.equal(answer.status, 201)
  const pulled = await registry.send('GET', `/v2/${app}/manifests/v1`)
  assert.equal(pulled.headers['docker-content-digest'], digest)
})

test('400: a manifest that has not the digest that the client gave is refused', async () => {
  const app = freshName()
  await pushArtifact(registry, app)
  for (const reference of [MISSING, `v1?digest=${MISSING}`, 'sha256:short', 'v1?digest=short']) {
    const { answer } = await putManifest(registry, app, artifact({ x: 1 }), { reference })
    assert.deepEqual([answer.status, answer.code], [400, 'DIGEST_INVALID'])
  }
  assert.equal((await registry.send('GET', `/v2/${app}/manifests/v1`)).status, 404)
})

for (const [what, content] of [
  ['a blob', artifact({ layers: [{ ...EMPTY, digest: MISSING }] })],
  ['a config', artifact({ config: { ...EMPTY, digest: MISSING } })],
  ['a manifest', index([{ mediaType: OCI_MANIFEST, digest: MISSING, size: 2 }])],
] as const) {
  test(`a manifest refused for ${what} that is not there MUST be MANIFEST_BLOB_UNKNOWN`, async () => {
    const app = freshName()
    await pushArtifact(registry, app)
    const { mediaType } = content
    const { answer } = await putManifest(registry, app, content, { mediaType, reference: 'v1' })
    assert.deepEqual([answer.status, answer.code], [400, 'MANIFEST_BLOB_UNKNOWN'])
    assert.equal((await registry.send('GET', `/v2/${app}/manifests/v1`)).status, 404)
  })
}

test('a manifest whose subject is not in the repository MUST be accepted', async () => {
  const app = freshName()
  const subject = { mediaType: OCI_MANIFEST, digest: MISSING, size: 2 }
  assert.equal((await pushArtifact(registry, app, { subject })).answer.status, 201)
})

for (const [what, mediaType] of [
  ['a manifest', OCI_MANIFEST],
  ['an index', OCI_INDEX],
] as const) {
  test(`${what} with a subject MUST be answered with its digest in OCI-Subject, one without not`, async () => {
    const app = freshName()
    const { digest } = await pushArtifact(registry, app)
    const fields = { subject: { mediaType: OCI_MANIFEST, digest, size: 2 } }
    const content = mediaType === OCI_INDEX ? index([], fields) : artifact(fields)
    const { answer } = await putManifest(registry, app, content, { mediaType })
    assert.deepEqual([answer.status, answer.headers['oci-subject']], [201, digest])
    const without = await putManifest(registry, app, artifact({ subject: null }))
    assert.deepEqual(
      [without.answer.status, without.answer.headers['oci-subject']],
      [201, undefined],
    )
  })
}

test('413: a manifest over the limit SHOULD be refused; one of 4 MiB SHOULD be taken', async () => {
  const app = freshName()
  await pushArtifact(registry, app)
  const small = JSON.stringify(artifact())
  const most = small + ' '.repeat(4 * MIB - small.length)
  const { answer, digest } = await putManifest(registry, app, most)
  assert.equal(answer.status, 201)
  assert.equal((await registry.send('GET', `/v2/${app}/manifests/${digest}`)).body.length, 4 * MIB)
  const refused = await putManifest(registry, app, `${most} `)
  assert.deepEqual([refused.answer.status, refused.answer.code], [413, 'SIZE_INVALID'])
})

test('a manifest MAY have no layers, an index no manifests', async () => {
  const app = freshName()
  assert.equal((await pushArtifact(registry, app, { layers: [] })).answer.status, 201)
  const pushed = await putManifest(registry, app, index([]), { mediaType: OCI_INDEX })
  assert.equal(pushed.answer.status, 201)
})

test('an index may list manifests, indexes, and blobs, by either digest algorithm', async () => {
  const app = freshName()
  const image = await pushArtifact(registry, app)
  const other = await putManifest(registry, app, artifact(), { algorithm: 'sha512' })
  const inner = index([manifestDescriptor(image), manifestDescriptor(other)])
  const nested = await putManifest(registry, app, inner, { mediaType: OCI_INDEX })
  // BuildKit keeps its cache so: layers and a config of its own in an index.
  const cache = { ...EMPTY, mediaType: 'application/vnd.buildkit.cacheconfig.v0' }
  const outer = index([manifestDescriptor(nested, OCI_INDEX), cache])
  const { answer } = await putManifest(registry, app, outer, { mediaType: OCI_INDEX })
  assert.deepEqual([nested.answer.status, answer.status], [201, 201])
})

test('a layer that may not be distributed need not be there', async () => {
  const app = freshName()
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    digest: MISSING,
    size: 100,
    urls: ['https://store.example.com/layer'],
  }
  assert.equal((await pushArtifact(registry, app, { layers: [layer, EMPTY] })).answer.status, 201)
})

test('media types of config and layers that nobody knows are kept as they are', async () => {
  const app = freshName()
  const unknown = { ...EMPTY, mediaType: 'application/x-nobody.v9+cbor', data: 'e30=', x: 1 }
  const { body, digest } = await pushArtifact(registry, app, {
    config: unknown,
    layers: [unknown],
  })
  const answer = await registry.send('GET', `/v2/${app}/manifests/${digest}`)
  assert.equal(answer.body.toString(), body)
})

for (const [what, mediaType, content] of [
  ['says another mediaType than its Content-Type', OCI_INDEX, artifact()],
  ['is neither image nor index', 'application/x-nobody.v9+json', artifact({ mediaType: '' })],
  ['can be read as an image and as an index', OCI_INDEX, index([], { config: EMPTY, layers: [] })],
  ['can be read as an index and as an image', OCI_MANIFEST, artifact({ manifests: [] })],
  ['has a subject that is no descriptor', OCI_MANIFEST, artifact({ subject: { digest: MISSING } })],
  ['has annotations that are no texts', OCI_MANIFEST, artifact({ annotations: { a: 1 } })],
] as const) {
  test(`400: a manifest that ${what} is refused as MANIFEST_INVALID`, async () => {
    const app = freshName()
    await pushArtifact(registry, app)
    const { answer } = await putManifest(registry, app, content, { mediaType, reference: 'v1' })
    assert.deepEqual([answer.status, answer.code], [400, 'MANIFEST_INVALID'])
  })
}

test('tags beside the digest are set with the manifest, and told', async () => {
  const app = freshName()
  await pushArtifact(registry, app)
  const pushed = await putManifest(registry, app, artifact({ x: 1 }), { algorithm: 'sha512' })
  const reference = `${pushed.digest}?tag=v1&tag=v2`
  const { answer } = await putManifest(registry, app, pushed.body, { reference })
  assert.deepEqual([answer.status, answer.every('oci-tag')], [201, ['v1', 'v2']])
  for (const tag of ['v1', 'v2']) {
    const pulled = await registry.send('GET', `/v2/${app}/manifests/${tag}`)
    assert.equal(pulled.headers['docker-content-digest'], pushed.digest)
  }
  const wrong = await putManifest(registry, app, pushed.body, {
    reference: `${pushed.digest}?tag=v3&tag=-bad`,
  })
  assert.deepEqual([wrong.answer.status, wrong.answer.code], [400, 'MANIFEST_INVALID'])
  assert.equal((await registry.send('HEAD', `/v2/${app}/manifests/v3`)).status, 404)
})

test('a Warning MUST have the code 299, no agent, and a text: of a manifest that OCI withdrew', async () => {
  const app = freshName()
  const mediaType = 'application/vnd.oci.artifact.manifest.v1+json'
  const { answer } = await putManifest(registry, app, { mediaType, blobs: [] }, { mediaType })
  assert.equal(answer.status, 201)
  assert.match(String(answer.headers.warning), /^299 - "[ !#-[\]-~]+"$/)
})
