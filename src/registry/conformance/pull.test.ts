import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { artifact, MISSING, nameSource, pushArtifact, putManifest } from '../testing/oci-content.ts'
import { pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pull
const registry = await startRegistry({ after })
const freshName = nameSource()
/** As they would stand in a path. */
const NO_TAGS = ['.a', '-a', 'a+b', 'a%20b', 't'.repeat(129)]
const TEXT = Buffer.from('0123456789')

for (const name of [
  'a',
  'a1/b2',
  'a.b/c_d',
  'a__b',
  'a--b---c',
  `${'a'.repeat(127)}/${'b'.repeat(127)}`,
]) {
  test(`a name MUST match the expression of the specification, as '${name.slice(0, 12)}' does`, async () => {
    assert.equal((await pushArtifact(registry, name)).answer.status, 201)
  })
}

for (const name of ['A', 'a_', '-a', 'a//b', 'a___b', 'a..b', 'a/', 'a%20b', 'a'.repeat(256)]) {
  test(`a name MUST match the expression of the specification, as '${name.slice(0, 12)}' does not`, async () => {
    const answer = await registry.send('GET', `/v2/${name}/manifests/v1`)
    assert.deepEqual([answer.status, answer.code], [400, 'NAME_INVALID'])
  })
}

test('a tag MUST be at most 128 characters and match the expression of the specification', async () => {
  const app = freshName()
  for (const tag of ['_', 'V1.0-rc_1', '0', 't'.repeat(128)]) {
    assert.equal((await pushArtifact(registry, app, {}, tag)).answer.status, 201, tag)
  }
  for (const tag of NO_TAGS) {
    assert.equal((await pushArtifact(registry, app, {}, tag)).answer.status, 400, tag)
  }
})

for (const method of ['GET', 'HEAD', 'DELETE']) {
  test(`if the manifest is not found, the response code MUST be 404, by what can be no tag either: ${method}`, async () => {
    const app = freshName()
    await pushArtifact(registry, app, {}, 'v1')
    for (const tag of [...NO_TAGS, '.INVALID_MANIFEST_NAME']) {
      const answer = await registry.send(method, `/v2/${app}/manifests/${tag}`)
      assert.equal(answer.status, 404, tag)
      if (method !== 'HEAD') assert.equal(answer.code, 'MANIFEST_UNKNOWN')
    }
  })
}

for (const reference of [
  'sha256:',
  'sha256:123',
  `sha256:${'G'.repeat(64)}`,
  'md5:0',
  ':',
  'a:b:c',
]) {
  test(`a reference MUST NOT be in any other format than digest and tag, as '${reference.slice(0, 12)}' is`, async () => {
    const app = freshName()
    assert.equal((await registry.send('GET', `/v2/${app}/manifests/${reference}`)).status, 400)
    assert.equal((await pushArtifact(registry, app, {}, reference)).answer.status, 400)
  })
}

test('a GET of an existing manifest MUST provide it, with 200 OK', async () => {
  const app = freshName()
  const { body, digest } = await pushArtifact(registry, app, {}, 'v1')
  for (const reference of ['v1', digest]) {
    const answer = await registry.send('GET', `/v2/${app}/manifests/${reference}`)
    assert.deepEqual([answer.status, answer.body.toString()], [200, body])
  }
})

test('the Content-Type SHOULD be what the client pushed, and SHOULD NOT have parameters', async () => {
  const app = freshName()
  await pushArtifact(registry, app)
  const mediaType = `${OCI_MANIFEST}; charset=utf-8`
  await putManifest(registry, app, artifact(), { reference: 'v1', mediaType })
  const answer = await registry.send('GET', `/v2/${app}/manifests/v1`)
  assert.equal(answer.headers['content-type'], OCI_MANIFEST)
})

test('a GET of a manifest SHOULD answer with its digest, which MUST be that of the body', async () => {
  const app = freshName()
  const { body, digest } = await pushArtifact(registry, app, {}, 'v1')
  assert.equal(digestOf(Buffer.from(body)), digest)
  for (const reference of ['v1', digest]) {
    const answer = await registry.send('GET', `/v2/${app}/manifests/${reference}`)
    assert.equal(answer.headers['docker-content-digest'], digest)
  }
})

test('404: a manifest that is not in the repository MUST NOT be found', async () => {
  const app = freshName()
  const { digest } = await pushArtifact(registry, 'other', {}, 'v1')
  await pushImage(registry, app, 'v2')
  for (const reference of ['v1', digest, MISSING]) {
    const answer = await registry.send('GET', `/v2/${app}/manifests/${reference}`)
    assert.deepEqual([answer.status, answer.code], [404, 'MANIFEST_UNKNOWN'])
  }
})

test('404: an attempt to pull from a repository that does not exist MUST fail', async () => {
  const answer = await registry.send('GET', '/v2/nobody/manifests/v1')
  assert.deepEqual([answer.status, answer.code], [404, 'NAME_UNKNOWN'])
})

test('a GET of an existing blob MUST provide it, with 200 OK', async () => {
  const app = freshName()
  const digest = await pushBlob(registry, app, TEXT)
  const answer = await registry.send('GET', `/v2/${app}/blobs/${digest}`)
  assert.deepEqual([answer.status, answer.body], [200, TEXT])
})

test('a GET of a blob SHOULD answer with its digest, which MUST be that of the body', async () => {
  const app = freshName()
  const digest = await pushBlob(registry, app, TEXT)
  const answer = await registry.send('GET', `/v2/${app}/blobs/${digest}`)
  assert.equal(answer.headers['docker-content-digest'], digestOf(answer.body))
})

test('404: a blob that is not in the repository MUST NOT be found', async () => {
  const app = freshName()
  const elsewhere = await pushBlob(registry, 'other', TEXT)
  for (const digest of [elsewhere, MISSING]) {
    const answer = await registry.send('GET', `/v2/${app}/blobs/${digest}`)
    assert.deepEqual([answer.status, answer.code], [404, 'BLOB_UNKNOWN'])
  }
})

for (const [range, status, contentRange, body] of [
  ['bytes=2-4', 206, 'bytes 2-4/10', '234'],
  ['bytes=7-', 206, 'bytes 7-9/10', '789'],
  ['bytes=-2', 206, 'bytes 8-9/10', '89'],
  ['bytes=8-99', 206, 'bytes 8-9/10', '89'],
  ['bytes=10-', 416, 'bytes */10', undefined],
  ['bytes=5-2', 416, 'bytes */10', undefined],
  ['bytes=0-1,4-5', 200, undefined, '0123456789'],
  ['lines=0-1', 200, undefined, '0123456789'],
] as const) {
  test(`a registry SHOULD support Range as RFC 9110 has it: ${range} is ${status}`, async () => {
    const app = freshName()
    const digest = await pushBlob(registry, app, TEXT)
    const answer = await registry.send('GET', `/v2/${app}/blobs/${digest}`, { headers: { range } })
    assert.deepEqual([answer.status, answer.headers['content-range']], [status, contentRange])
    if (body !== undefined) assert.equal(answer.body.toString(), body)
  })
}

test('a Range holds for the blob that If-Range names, and for no other', async () => {
  const app = freshName()
  const digest = await pushBlob(registry, app, TEXT)
  for (const [etag, status] of [
    [`"${digest}"`, 206],
    [`"${MISSING}"`, 200],
  ] as const) {
    const headers = { range: 'bytes=0-0', 'if-range': etag }
    assert.equal(
      (await registry.send('GET', `/v2/${app}/blobs/${digest}`, { headers })).status,
      status,
    )
  }
})

test('a HEAD of an existing blob or manifest MUST answer 200 OK, SHOULD with its size and digest', async () => {
  const app = freshName()
  const { body, digest, layer } = await pushImage(registry, app, 'v1')
  for (const [path, length, expected] of [
    [`/v2/${app}/blobs/${layer}`, 'layer v1'.length, layer],
    [`/v2/${app}/manifests/v1`, body.length, digest],
    [`/v2/${app}/manifests/${digest}`, body.length, digest],
  ] as const) {
    const { status, headers, body: nothing } = await registry.send('HEAD', path)
    assert.deepEqual([status, nothing.length], [200, 0])
    assert.equal(headers['content-length'], String(length))
    assert.equal(headers['docker-content-digest'], expected)
  }
})

test('404: a HEAD of what is not in the repository MUST NOT find it', async () => {
  const app = freshName()
  await pushImage(registry, app, 'v1')
  for (const path of ['manifests/v2', `manifests/${MISSING}`, `blobs/${MISSING}`]) {
    const { status, body } = await registry.send('HEAD', `/v2/${app}/${path}`)
    assert.deepEqual([status, body.length], [404, 0])
  }
})

test('304: a client that says what it has is not sent it again', async () => {
  const app = freshName()
  const { digest, layer } = await pushImage(registry, app, 'v1')
  for (const [path, etag] of [
    [`/v2/${app}/manifests/v1`, digest],
    [`/v2/${app}/blobs/${layer}`, layer],
  ] as const) {
    const headers = { 'if-none-match': `"${etag}"` }
    const answer = await registry.send('GET', path, { headers })
    assert.deepEqual([answer.status, answer.body.length], [304, 0])
  }
})
