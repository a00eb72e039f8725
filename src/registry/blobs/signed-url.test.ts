import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { createUrlSigner } from './signed-url.ts'

const BLOB = {
  registry: 'uid-1',
  repository: 'app',
  digest: digestOf(Buffer.from('one')),
  region: 'westeurope',
}
const clock = { now: () => new Date('2026-01-01T00:00:00Z') }
const signer = createUrlSigner({ key: Buffer.alloc(32, 1), clock })
const query = new URLSearchParams(signer.sign(BLOB))

test('a signature opens the blob it was made for', () => {
  assert.equal(signer.isSigned(BLOB, query), true)
})

for (const [what, change] of [
  ['registry', { registry: 'uid-2' }],
  ['repository', { repository: 'other' }],
  ['digest', { digest: digestOf(Buffer.from('two')) }],
  ['region', { region: 'eastus' }],
] as const) {
  test(`a signature is worth nothing for another ${what}`, () => {
    assert.equal(signer.isSigned({ ...BLOB, ...change }, query), false)
  })
}

test('a signature by another key is worth nothing', () => {
  const other = createUrlSigner({ key: Buffer.alloc(32, 2), clock })
  assert.equal(other.isSigned(BLOB, query), false)
})
