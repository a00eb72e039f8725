import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { MISSING, pushArtifact } from '../testing/oci-content.ts'
import { type Ask, startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
const registry = await startRegistry({ after })
before(() => pushArtifact(registry, 'app', {}, 'v1'))

const CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
]

const REFUSED: readonly (readonly [method: string, path: string, status: number, ask?: Ask])[] = [
  ['GET', '/v2/app/manifests/none', 404],
  ['GET', '/v2/nobody/manifests/none', 404],
  ['GET', '/v2/app/manifests/.bad', 404],
  ['PUT', '/v2/app/manifests/.bad', 400, { body: '{}' }],
  ['GET', '/v2/app/manifests/sha256:bad', 400],
  ['GET', '/v2/APP/manifests/v1', 400],
  ['GET', '/v2/%zz/manifests/v1', 400],
  ['PUT', '/v2/app/manifests/v1', 400, { body: 'no JSON' }],
  ['PUT', '/v2/app/manifests/v1', 413, { body: ' '.repeat(5_000_000) }],
  ['GET', `/v2/app/blobs/${MISSING}`, 404],
  ['GET', `/v2/app/blobs/${MISSING}`, 401, { authorization: '' }],
  ['GET', '/v2/app/blobs/uploads/nothing', 404],
  ['GET', '/v2/app/referrers/nothing', 400],
  ['GET', '/v2/app/tags/list?n=x', 400],
  ['GET', '/v2/_catalog?n=x', 400],
  ['GET', '/v2/', 401, { authorization: 'Bearer wrong' }],
  ['GET', '/v2/app/elsewhere', 404],
  ['POST', '/v2/app/manifests/v1', 405],
  ['POST', '/v2/app/blobs/uploads/?digest=bad', 400, { body: 'x' }],
]

for (const [method, path, status, ask] of REFUSED) {
  const what = `${method} ${path.slice(0, 40)} (${status})`
  test(`a body in JSON MUST have the form of the specification, its code MUST be of its list: ${what}`, async () => {
    const answer = await registry.send(method, path, ask)
    assert.equal(answer.status, status)
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    const errors = answer.json().errors as readonly Record<string, unknown>[]
    assert.equal(errors.length, 1)
    for (const { code, message } of errors) {
      assert.ok(CODES.includes(String(code)), String(code))
      assert.match(String(message), /\S/)
    }
  })
}

test('a refused HEAD has the head of the refusal, and no body', async () => {
  for (const [method, path, status, ask] of REFUSED) {
    if (method !== 'GET') continue
    const { headers, body, ...answer } = await registry.send('HEAD', path, ask)
    assert.deepEqual([answer.status, body.length], [status, 0], path)
    assert.match(String(headers['content-type']), /^application\/json/)
  }
})

for (const [path, allowed] of [
  ['/v2/', 'GET, HEAD'],
  ['/v2/_catalog', 'GET, HEAD'],
  ['/v2/app/tags/list', 'GET, HEAD'],
  ['/v2/app/manifests/v1', 'GET, HEAD, PUT, DELETE'],
  [`/v2/app/blobs/${MISSING}`, 'GET, HEAD, DELETE'],
  ['/v2/app/blobs/uploads/', 'POST'],
  [`/v2/app/blobs/uploads/${'0'.repeat(36)}`, 'GET, HEAD, PATCH, PUT, DELETE'],
  [`/v2/app/referrers/${MISSING}`, 'GET, HEAD'],
] as const) {
  test(`405: any other method is UNSUPPORTED at ${path.slice(0, 30)}, which allows ${allowed}`, async () => {
    for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'REPORT']) {
      if (allowed.split(', ').includes(method)) continue
      const answer = await registry.send(method, path)
      assert.deepEqual([answer.status, answer.code], [405, 'UNSUPPORTED'], method)
      assert.equal(answer.headers.allow, allowed)
    }
  })
}
