import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { newUploadIdIn, ownerOf, uploadIdOf } from './upload-owner.ts'

test('every id has an owner among the slots, and those that a slot makes are its own', () => {
  for (const slots of [1, 2, 3, 64]) {
    for (let slot = 0; slot < slots; slot++) {
      assert.equal(ownerOf(newUploadIdIn({ slot, slots }), slots), slot)
    }
    const owner = ownerOf(randomUUID(), slots)
    assert.ok(Number.isInteger(owner) && owner >= 0 && owner < slots)
  }
  // An id has hexadecimal digits and dashes in any order.
  assert.equal(ownerOf('------------------------------------', 3), 0)
})

const ID = '00000001-2222-3333-4444-555555555555'

for (const [url, id] of [
  [`/v2/a/b/blobs/uploads/${ID}?_state=7&digest=sha256:0`, ID],
  // However a client writes it, it is one upload.
  [`/v2/a%2Fb/blobs/%75ploads/${ID}`, ID],
  ['/v2/a/blobs/uploads/', undefined],
  ['/v2/a/blobs/uploads/another', undefined],
  [`/v2/a/manifests/${ID}`, undefined],
  ['/v2/%', undefined],
  ['/oauth2/token', undefined],
] as const) {
  test(`the upload of ${url}: ${id ?? 'none'}`, () => assert.equal(uploadIdOf(url), id))
}
