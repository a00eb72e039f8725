import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addressAt,
  addressCount,
  type Cidr,
  contains,
  formatAddress,
  formatCidr,
  isUsable,
  isWithinPrefix,
  overlaps,
  parseAddress,
  parseCidr,
  usableAddressCount,
  usableAddresses,
} from './cidr.ts'

function cidr(text: string): Cidr {
  const parsed = parseCidr(text)
  assert.ok(parsed, text)
  return parsed
}

for (const text of [
  '',
  '10.0.0.0',
  '10.0.0/24',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/024',
  '10.0.0.256/24',
  '10.00.0.0/24',
  '10.0.0.0/24/1',
  ' 10.0.0.0/24',
  'fd00::/8',
]) {
  test(`'${text}' is no prefix`, () => assert.equal(parseCidr(text), undefined))
}

for (const [text, canonical, count] of [
  ['10.0.0.0/24', '10.0.0.0/24', 256],
  ['10.0.0.1/24', '10.0.0.0/24', 256],
  ['0.0.0.0/0', '0.0.0.0/0', 2 ** 32],
  ['255.255.255.255/32', '255.255.255.255/32', 1],
  ['192.168.255.77/17', '192.168.128.0/17', 32_768],
] as const) {
  test(`'${text}' is ${canonical} and has ${count} addresses`, () => {
    assert.equal(formatCidr(cidr(text)), canonical)
    assert.equal(addressCount(cidr(text)), count)
  })
}

test('a dotted address and its number are the same thing', () => {
  assert.equal(parseAddress('168.63.129.16'), 2_822_734_096)
  assert.equal(formatAddress(2_822_734_096), '168.63.129.16')
  assert.equal(parseAddress('168.63.129'), undefined)
})

for (const [a, b, isOverlapping, isInside] of [
  ['10.0.0.0/24', '10.0.0.0/24', true, true],
  ['10.0.0.128/25', '10.0.0.0/24', true, true],
  ['10.0.0.0/16', '10.0.1.0/24', true, false],
  ['10.0.0.0/24', '10.0.1.0/24', false, false],
  ['200.0.0.0/8', '0.0.0.0/0', true, true],
  ['200.0.0.0/8', '10.0.0.0/8', false, false],
] as const) {
  test(`${a} ${isOverlapping ? 'overlaps' : 'is apart from'} ${b}`, () => {
    assert.equal(overlaps(cidr(a), cidr(b)), isOverlapping)
    assert.equal(isWithinPrefix(cidr(a), cidr(b)), isInside)
  })
}

test('a prefix knows its addresses by number and by name', () => {
  const prefix = cidr('10.0.0.248/29')
  assert.equal(addressAt(prefix, 0), '10.0.0.248')
  assert.equal(addressAt(prefix, 7), '10.0.0.255')
  assert.equal(addressAt(prefix, 8), undefined)
  assert.ok(contains(prefix, '10.0.0.250'))
  assert.ok(!contains(prefix, '10.0.0.247'))
  assert.ok(!contains(prefix, 'nowhere'))
})

test('the first four addresses of a subnet and its last are not given out', () => {
  const subnet = cidr('10.0.0.8/29')
  assert.deepEqual([...usableAddresses(subnet)], ['10.0.0.12', '10.0.0.13', '10.0.0.14'])
  assert.deepEqual(
    [...usableAddresses(subnet, 'downwards')],
    ['10.0.0.14', '10.0.0.13', '10.0.0.12'],
  )
  assert.equal(usableAddressCount(subnet), 3)
  assert.equal(usableAddressCount(cidr('10.0.0.0/31')), 0)
  assert.ok(isUsable(subnet, '10.0.0.12'))
  assert.ok(!isUsable(subnet, '10.0.0.11'))
  assert.ok(!isUsable(subnet, '10.0.0.15'))
  assert.ok(!isUsable(subnet, '10.0.0.20'))
})
