import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNotModified } from './conditional.ts'

for (const [header, expected] of [
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
] as const) {
  test(`of "a", If-None-Match ${header} says ${expected ? 'known' : 'new'}`, () => {
    assert.equal(isNotModified(header, '"a"'), expected)
  })
}
