import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeBefore } from './time-before.ts'

const NOW = new Date('2026-05-10T12:00:00Z')

for (const [text, expected] of [
  ['90s', '2026-05-10T11:58:30.000Z'],
  ['30m', '2026-05-10T11:30:00.000Z'],
  ['12h', '2026-05-10T00:00:00.000Z'],
  ['7d', '2026-05-03T12:00:00.000Z'],
  ['2026-05-01', '2026-05-01T00:00:00.000Z'],
  ['2026-05-01T08:00Z', '2026-05-01T08:00:00.000Z'],
  ['2026-05-01T08:00:30.5+02:00', '2026-05-01T06:00:30.500Z'],
  ['2026-13-01', undefined],
  ['yesterday', undefined],
  ['7', undefined],
  ['', undefined],
] as const) {
  test(`'${text}' is ${expected ?? 'no time'}`, () => {
    assert.equal(timeBefore(text, NOW)?.toISOString(), expected)
  })
}
