import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { artifact, beginUpload, closing, pushArtifact } from '../testing/oci-content.ts'
import { type Ask, pushBlob, startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
const BYTES = Buffer.from('a blob')
const DIGEST = digestOf(BYTES)

test('end-1: 200 OK says that the registry implements the specification', async (t) => {
  const registry = await startRegistry(t)
  for (const method of ['GET', 'HEAD']) {
    const answer = await registry.send(method, '/v2/')
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0')
  }
})

test('end-1: who is not known is told with 401 where a token is to be had', async (t) => {
  const registry = await startRegistry(t)
  const answer = await registry.send('GET', '/v2/', { authorization: '' })
  assert.deepEqual([answer.status, answer.code], [401, 'UNAUTHORIZED'])
  const challenge = `Bearer realm="http://${registry.address}/oauth2/token",service="${registry.address}"`
  assert.equal(answer.headers['www-authenticate'], challenge)
})

test('each endpoint has the status of the table where it succeeds', async (t) => {
  const registry = await startRegistry(t)
  const { digest } = await pushArtifact(registry, 'app', {}, 'v1')
  const blob = await pushBlob(registry, 'source', BYTES)
  const manifest = { body: JSON.stringify(artifact({ x: 1 })) }
  const location = await beginUpload(registry, 'app')
  const bytes = { body: BYTES }
  const sequence: readonly (readonly [string, string, string, number, Ask?])[] = [
    ['end-1', 'GET', '/v2/', 200],
    ['end-2', 'GET', `/v2/source/blobs/${blob}`, 200],
    ['end-2', 'HEAD', `/v2/source/blobs/${blob}`, 200],
    ['end-3', 'GET', '/v2/app/manifests/v1', 200],
    ['end-3', 'HEAD', `/v2/app/manifests/${digest}`, 200],
    ['end-4a', 'POST', '/v2/app/blobs/uploads/', 202],
    ['end-4b', 'POST', `/v2/app/blobs/uploads/?digest=${DIGEST}`, 201, bytes],
    ['end-5', 'PATCH', location, 202, bytes],
    ['end-13', 'GET', location, 204],
    ['end-6', 'PUT', closing(location, DIGEST), 201],
    ['end-7', 'PUT', '/v2/app/manifests/v2', 201, manifest],
    ['end-8a', 'GET', '/v2/app/tags/list', 200],
    ['end-8b', 'GET', '/v2/app/tags/list?n=1&last=v1', 200],
    ['end-11', 'POST', `/v2/copy/blobs/uploads/?mount=${blob}&from=source`, 201],
    ['end-12a', 'GET', `/v2/app/referrers/${digest}`, 200],
    ['end-12b', 'GET', `/v2/app/referrers/${digest}?artifactType=a/b`, 200],
    ['end-9', 'DELETE', '/v2/app/manifests/v1', 202],
    ['end-9', 'DELETE', `/v2/app/manifests/${digest}`, 202],
    ['end-10', 'DELETE', `/v2/app/blobs/${DIGEST}`, 202],
  ]
  for (const [end, method, path, status, ask] of sequence) {
    const answer = await registry.send(method, path, ask)
    assert.equal(answer.status, status, `${end} ${method} ${path}`)
  }
})

test('a proxy is asked with ns; a registry that is none MAY ignore it', async (t) => {
  const registry = await startRegistry(t)
  await pushArtifact(registry, 'app', {}, 'v1')
  const answer = await registry.send('GET', '/v2/app/manifests/v1?ns=registry.example.com')
  assert.equal(answer.status, 200)
})

test('a catalog is in the order of bytes, so that no page loses a name that begins like another', async (t) => {
  const registry = await startRegistry(t)
  const names = ['a', 'a-b', 'a.b', 'a/b', 'a/b/c', 'a0', 'a_b', 'ab']
  for (const name of names.toReversed()) await pushArtifact(registry, name)
  for (const n of [1, 2, 3, names.length]) {
    const seen: string[] = []
    for (let path: string | undefined = `/v2/_catalog?n=${n}`; path !== undefined; ) {
      const { json, headers } = await registry.send('GET', path)
      seen.push(...(json().repositories as string[]))
      path = /^<(.+)>; rel="next"$/.exec(String(headers.link))?.[1]
    }
    assert.deepEqual(seen, names)
  }
})
