import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { parseAcrPath } from '../acr/acr-path.ts'
import { decodePath, parseOciPath } from './oci-path.ts'

const DIGEST = digestOf(Buffer.from('x'))
const ID = '01931cd2-bb83-4751-b76e-ec65b67c4734'

for (const [path, expected] of [
  ['/v2/', { kind: 'base' }],
  ['/v2', { kind: 'base' }],
  ['/v2/_catalog', { kind: 'catalog' }],
  ['/v2/a/b/c/tags/list', { kind: 'tags', repository: 'a/b/c' }],
  ['/v2/a%2Fb/manifests/v1', { kind: 'manifest', repository: 'a/b', reference: { tag: 'v1' } }],
  [
    `/v2/a/manifests/${DIGEST.replace(':', '%3A')}`,
    { kind: 'manifest', repository: 'a', reference: { digest: DIGEST } },
  ],
  [
    `/v2/a/manifests/${'t'.repeat(129)}`,
    { kind: 'no_manifest', repository: 'a', tag: 't'.repeat(129) },
  ],
  [`/v2/a/blobs/${DIGEST}`, { kind: 'blob', repository: 'a', digest: DIGEST }],
  ['/v2/a/blobs/uploads', { kind: 'uploads', repository: 'a' }],
  ['/v2/a/blobs/uploads/', { kind: 'uploads', repository: 'a' }],
  [`/v2/a/blobs/uploads/${ID}`, { kind: 'upload', repository: 'a', id: ID }],
  [`/v2/a/referrers/${DIGEST}`, { kind: 'referrers', repository: 'a', digest: DIGEST }],
  [
    '/v2/manifests/blobs/tags/manifests/list',
    { kind: 'manifest', repository: 'manifests/blobs/tags', reference: { tag: 'list' } },
  ],
  ['/v2/a', undefined],
  ['/v3/a/tags/list', undefined],
] as const) {
  test(`${path} is ${expected?.kind ?? 'none of ours'}`, () => {
    assert.deepEqual(parseOciPath(decodePath(path)), expected)
  })
}

for (const [path, code] of [
  ['/v2/A/tags/list', 'NAME_INVALID'],
  ['/v2//tags/list', 'NAME_INVALID'],
  ['/v2/a__b--c..d/tags/list', 'NAME_INVALID'],
  [`/v2/${'a'.repeat(256)}/tags/list`, 'NAME_INVALID'],
  ['/v2/a/blobs/sha256:xyz', 'DIGEST_INVALID'],
  ['/v2/a/manifests/sha1:abc', 'DIGEST_INVALID'],
  ['/v2/a/blobs/uploads/..', 'BLOB_UPLOAD_UNKNOWN'],
  ['/v2/%zz/tags/list', 'NAME_INVALID'],
] as const) {
  test(`${path.slice(0, 40)} is refused as ${code}`, () => {
    assert.throws(() => parseOciPath(decodePath(path)), { code })
  })
}

for (const [path, expected] of [
  ['/acr/v1/_catalog', { kind: 'catalog' }],
  ['/acr/v1/a/b', { kind: 'repository', repository: 'a/b' }],
  ['/acr/v1/a/b/_tags', { kind: 'tags', repository: 'a/b' }],
  ['/acr/v1/a/_tags/v1', { kind: 'tag', repository: 'a', tag: 'v1' }],
  ['/acr/v1/a/_manifests', { kind: 'manifests', repository: 'a' }],
  [`/acr/v1/a/_manifests/${DIGEST}`, { kind: 'manifest', repository: 'a', digest: DIGEST }],
] as const) {
  test(`${path.slice(0, 30)} is ${expected.kind}`, () => {
    assert.deepEqual(parseAcrPath(path), expected)
  })
}
