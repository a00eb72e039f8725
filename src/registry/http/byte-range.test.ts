import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseContentRange, parseRange } from './byte-range.ts'

for (const [header, expected] of [
  [undefined, undefined],
  ['bytes=0-4', { start: 0, end: 5 }],
  ['Bytes=5-', { start: 5, end: 10 }],
  ['bytes=-3', { start: 7, end: 10 }],
  ['bytes=-30', { start: 0, end: 10 }],
  ['bytes=8-100', { start: 8, end: 10 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-4', 'unsatisfiable'],
  ['bytes=0-1,4-5', undefined],
  ['lines=0-1', undefined],
] as const) {
  test(`of ten bytes, Range ${header} asks for ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(parseRange(header, 10), expected)
  })
}

for (const [header, expected] of [
  ['0-9', { start: 0, end: 10 }],
  ['bytes 10-19/*', { start: 10, end: 20 }],
  ['bytes=10-19', { start: 10, end: 20 }],
  ['9-0', undefined],
  ['0-', undefined],
  ['nonsense', undefined],
] as const) {
  test(`Content-Range ${header} is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(parseContentRange(header), expected)
  })
}
