import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { beginUpload, closing, nameSource } from '../testing/oci-content.ts'
import { startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
const registry = await startRegistry({ after })
const freshName = nameSource()
const BYTES = Buffer.from('0123456789abcdefghij')
const DIGEST = digestOf(BYTES)

const patch = (location: string, start: number, end: number) =>
  registry.send('PATCH', location, {
    body: BYTES.subarray(start, end),
    headers: { 'content-range': `${start}-${end - 1}`, 'content-type': 'application/octet-stream' },
  })

test('a POST with Content-Length 0 MUST be answered 202 with a Location', async () => {
  const app = freshName()
  const answer = await registry.send('POST', `/v2/${app}/blobs/uploads/`, { body: '' })
  assert.deepEqual([answer.status, typeof answer.headers.location], [202, 'string'])
})

test('a registry with a minimum size of chunks SHOULD say so: this one has none', async () => {
  const app = freshName()
  const begun = await registry.send('POST', `/v2/${app}/blobs/uploads/`)
  assert.equal(begun.headers['oci-chunk-min-length'], undefined)
  assert.equal((await patch(String(begun.headers.location), 0, 1)).status, 202)
})

test('each chunk MUST be answered 202 with a Location, and a Range that ends with its last byte', async () => {
  const app = freshName()
  let location = await beginUpload(registry, app)
  for (const [start, end] of [
    [0, 7],
    [7, 14],
  ] as const) {
    const answer = await patch(location, start, end)
    assert.deepEqual([answer.status, answer.headers.range], [202, `0-${end - 1}`])
    location = String(answer.headers.location)
  }
})

test('416: the range of the first chunk MUST begin with 0', async () => {
  const app = freshName()
  const answer = await patch(await beginUpload(registry, app), 7, 14)
  assert.deepEqual([answer.status, answer.code], [416, 'BLOB_UPLOAD_INVALID'])
})

for (const range of ['7', '-6', '6-', '6-0', 'a-b', '0-6,7-9', '']) {
  test(`400: the range MUST match the expression of the specification, as '${range}' does not`, async () => {
    const app = freshName()
    const location = await beginUpload(registry, app)
    const headers = { 'content-range': range }
    const answer = await registry.send('PATCH', location, { body: '0123456', headers })
    assert.deepEqual([answer.status, answer.code], [400, 'BLOB_UPLOAD_INVALID'])
    assert.equal((await registry.send('GET', location)).headers.range, '0-0')
  })
}

test('400: a range MUST be inclusive on both ends: as many bytes as the chunk has', async () => {
  const app = freshName()
  const location = await beginUpload(registry, app)
  const headers = { 'content-range': '0-7' }
  const answer = await registry.send('PATCH', location, { body: '0123456', headers })
  assert.deepEqual([answer.status, answer.code], [400, 'SIZE_INVALID'])
})

for (const [what, start, end] of [
  ['leaves a gap', 8, 14],
  ['overlaps', 6, 14],
  ['is sent again', 0, 7],
] as const) {
  for (const method of ['PATCH', 'PUT']) {
    test(`416: chunks MUST be in order: a ${method} that ${what} MUST be refused, and says where to go on`, async () => {
      const app = freshName()
      const first = await patch(await beginUpload(registry, app), 0, 7)
      const location = String(first.headers.location)
      const path = method === 'PUT' ? closing(location, DIGEST) : location
      const refused = await registry.send(method, path, {
        body: BYTES.subarray(start, end),
        headers: { 'content-range': `${start}-${end - 1}` },
      })
      assert.deepEqual([refused.status, refused.headers.range], [416, '0-6'])
      const rest = await registry.send('PUT', closing(String(refused.headers.location), DIGEST), {
        body: BYTES.subarray(7),
        headers: { 'content-range': `7-${BYTES.length - 1}` },
      })
      assert.equal(rest.status, 201)
    })
  }
}

test('a GET of an active upload MUST be answered 204 with its Location and Range', async () => {
  const app = freshName()
  const begun = await beginUpload(registry, app)
  const fresh = await registry.send('GET', begun)
  assert.deepEqual([fresh.status, fresh.headers.range], [204, '0-0'])
  await patch(begun, 0, 7)
  const { status, headers } = await registry.send('GET', begun)
  assert.deepEqual([status, headers.range], [204, '0-6'])
  assert.equal((await patch(String(headers.location), 7, 14)).status, 202)
})

test('the session MUST be closed by a PUT, with the final chunk or without: 201 with the Location of the blob', async () => {
  const app = freshName()
  for (const last of [BYTES.length, 14]) {
    const sent = await patch(await beginUpload(registry, app), 0, last)
    const answer = await registry.send('PUT', closing(String(sent.headers.location), DIGEST), {
      body: BYTES.subarray(last),
      ...(last < BYTES.length && { headers: { 'content-range': `${last}-${BYTES.length - 1}` } }),
    })
    assert.equal(answer.status, 201)
    assert.deepEqual((await registry.send('GET', String(answer.headers.location))).body, BYTES)
    await registry.send('DELETE', `/v2/${app}/blobs/${DIGEST}`)
  }
})

test('400: the closing PUT MUST include the digest of the whole blob', async () => {
  const app = freshName()
  const sent = await patch(await beginUpload(registry, app), 0, 14)
  const location = String(sent.headers.location)
  const without = await registry.send('PUT', location)
  assert.deepEqual([without.status, without.code], [400, 'DIGEST_INVALID'])
  const body = BYTES.subarray(14)
  const ofChunk = await registry.send('PUT', closing(location, digestOf(body)), { body })
  assert.deepEqual([ofChunk.status, ofChunk.code], [400, 'DIGEST_INVALID'])
})

test('a blob of unknown length comes as one stream, without a range', async () => {
  const app = freshName()
  const sent = await registry.send('PATCH', await beginUpload(registry, app), {
    body: BYTES,
    headers: { 'transfer-encoding': 'chunked' },
  })
  assert.deepEqual([sent.status, sent.headers.range], [202, '0-19'])
  const answer = await registry.send('PUT', closing(String(sent.headers.location), DIGEST))
  assert.equal(answer.status, 201)
})

test('404: a session that is closed, cancelled or of another repository MUST NOT be found', async () => {
  const app = freshName()
  const location = await beginUpload(registry, app)
  const elsewhere = location.replace(`/${app}/`, '/other/')
  assert.equal((await registry.send('GET', elsewhere)).code, 'BLOB_UPLOAD_UNKNOWN')
  assert.equal((await registry.send('DELETE', location)).status, 204)
  const closed = await beginUpload(registry, app)
  await registry.send('PUT', closing(closed, DIGEST), { body: BYTES })
  for (const gone of [location, closed]) {
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const answer = await registry.send(method, gone)
      assert.deepEqual([answer.status, answer.code], [404, 'BLOB_UPLOAD_UNKNOWN'])
    }
  }
})
