import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { beginUpload, closing, MISSING, nameSource } from '../testing/oci-content.ts'
import { ADMIN, basic, startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-monolithically
const registry = await startRegistry({ after })
const freshName = nameSource()
const BYTES = Buffer.from('a blob')
const DIGEST = digestOf(BYTES)
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/

test('a POST for a session MUST be answered 202 with a Location', async () => {
  const app = freshName()
  for (const path of [`/v2/${app}/blobs/uploads/`, `/v2/${app}/blobs/uploads`]) {
    const answer = await registry.send('POST', path)
    assert.deepEqual([answer.status, typeof answer.headers.location], [202, 'string'])
  }
})

test('the location MUST contain a UUID that is the session alone', async () => {
  const app = freshName()
  const ids = []
  for (let count = 0; count < 3; count += 1) {
    ids.push(UUID.exec(await beginUpload(registry, app))?.[0])
  }
  assert.equal(new Set(ids.filter((id) => id !== undefined)).size, 3)
})

test('a PUT to the location MUST be answered 201 with the Location of a blob that can be pulled', async () => {
  const app = freshName()
  const location = await beginUpload(registry, app)
  const answer = await registry.send('PUT', closing(location, DIGEST), { body: BYTES })
  assert.equal(answer.status, 201)
  assert.equal(answer.headers['docker-content-digest'], DIGEST)
  assert.deepEqual((await registry.send('GET', String(answer.headers.location))).body, BYTES)
})

test('a single POST MUST be answered 201 with the Location of a blob that can be pulled', async () => {
  const app = freshName()
  const path = `/v2/${app}/blobs/uploads/?digest=${DIGEST}`
  const answer = await registry.send('POST', path, { body: BYTES })
  assert.equal(answer.status, 201)
  assert.equal(answer.headers['docker-content-digest'], DIGEST)
  assert.deepEqual((await registry.send('GET', String(answer.headers.location))).body, BYTES)
})

for (const algorithm of ['sha256', 'sha512'] as const) {
  test(`a blob MAY be empty, in whichever way it comes, and by ${algorithm} as well`, async () => {
    const app = freshName()
    const digest = digestOf(Buffer.of(), algorithm)
    const path = `/v2/${app}/blobs/${digest}`
    const streamed = await beginUpload(registry, app)
    await registry.send('PATCH', streamed, { body: '' })
    for (const [method, target] of [
      ['POST', `/v2/${app}/blobs/uploads/?digest=${digest}`],
      ['PUT', closing(await beginUpload(registry, app), digest)],
      ['PUT', closing(streamed, digest)],
    ] as const) {
      assert.equal((await registry.send(method, target, { body: '' })).status, 201)
      const { status, headers, body } = await registry.send('GET', path)
      assert.deepEqual([status, headers['content-length'], body.length], [200, '0', 0])
      assert.equal((await registry.send('DELETE', path)).status, 202)
      assert.equal((await registry.send('HEAD', path)).status, 404)
    }
  })
}

test('400: the digest MUST match that of the blob', async () => {
  const app = freshName()
  const body = BYTES
  const location = await beginUpload(registry, app)
  for (const answer of [
    await registry.send('POST', `/v2/${app}/blobs/uploads/?digest=${MISSING}`, { body }),
    await registry.send('POST', `/v2/${app}/blobs/uploads/?digest=sha256:short`, { body }),
    await registry.send('PUT', closing(location, MISSING), { body }),
  ]) {
    assert.deepEqual([answer.status, answer.code], [400, 'DIGEST_INVALID'])
  }
  assert.equal((await registry.send('HEAD', `/v2/${app}/blobs/${MISSING}`)).status, 404)
})

test('the Content-Length MUST match the length of the blob: what ends early is none', async () => {
  const app = freshName()
  await new Promise<void>((resolve) => {
    const request = httpRequest({
      port: Number(registry.address.split(':')[1]),
      host: '127.0.0.1',
      method: 'POST',
      path: `/v2/${app}/blobs/uploads/?digest=${DIGEST}`,
      headers: {
        host: registry.address,
        authorization: basic(ADMIN.user, ADMIN.password),
        'content-length': BYTES.length + 1,
      },
    })
    request.on('error', () => undefined)
    request.on('close', () => resolve())
    request.write(BYTES, () => request.destroy())
  })
  assert.equal((await registry.send('HEAD', `/v2/${app}/blobs/${DIGEST}`)).status, 404)
})

test('a blob may be pushed again, by the same or another digest algorithm', async () => {
  const app = freshName()
  for (const digest of [DIGEST, DIGEST, digestOf(BYTES, 'sha512')]) {
    const path = `/v2/${app}/blobs/uploads/?digest=${digest}`
    assert.equal((await registry.send('POST', path, { body: BYTES })).status, 201)
    const answer = await registry.send('GET', `/v2/${app}/blobs/${digest}`)
    assert.equal(answer.headers['docker-content-digest'], digest)
    assert.deepEqual(answer.body, BYTES)
  }
})
