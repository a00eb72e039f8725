import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDomainName, RECORD_SET_NAME, ZONE_NAME } from './names.ts'

const L63 = 'a'.repeat(63)

for (const [pattern, name, isGood] of [
  [ZONE_NAME, 'privatelink.azurecr.io', true],
  [ZONE_NAME, 'privatelink.1a2b.azmk8s.io', true],
  [ZONE_NAME, 'local', false],
  [ZONE_NAME, '-a.example', false],
  [ZONE_NAME, 'a..example', false],
  [ZONE_NAME, `${L63}.example`, true],
  [ZONE_NAME, `${L63}a.example`, false],
  [ZONE_NAME, Array.from({ length: 35 }, () => 'a').join('.'), false],
  [RECORD_SET_NAME, '@', true],
  [RECORD_SET_NAME, '*', true],
  [RECORD_SET_NAME, '*.sub', true],
  [RECORD_SET_NAME, 'sub.*', false],
  [RECORD_SET_NAME, 'a*b', false],
  [RECORD_SET_NAME, 'myregistry.westeurope.data', true],
  [RECORD_SET_NAME, '_sip._tcp', true],
  [RECORD_SET_NAME, 'a.', false],
  [RECORD_SET_NAME, 'sp ace', false],
] as const) {
  test(`${name.slice(0, 30)} is ${isGood ? 'a' : 'no'} name of a ${pattern === ZONE_NAME ? 'zone' : 'record set'}`, () => {
    assert.equal(pattern.test(name), isGood)
  })
}

test('a target may end in a dot and may be the root, but not have empty labels', () => {
  assert.deepEqual(['www.example.', '.', 'single', 'a..b', '', '"quoted"'].map(isDomainName), [
    true,
    true,
    true,
    false,
    false,
    false,
  ])
})
