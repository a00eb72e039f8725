import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classOf, parseAddress } from './address-class.ts'

for (const [text, expected] of [
  ['20.45.122.144', 'public'],
  ['1.1.1.1', 'public'],
  ['2606:4700:4700::1111', 'public'],
  ['2a00:1450:4001:81b::200e', 'public'],
  ['64:ff9b::101:101', 'public'],
  ['10.1.2.3', 'special'],
  ['172.16.0.1', 'special'],
  ['172.31.255.255', 'special'],
  ['192.168.1.1', 'special'],
  ['100.64.0.1', 'special'],
  ['192.0.0.8', 'special'],
  ['192.0.2.1', 'special'],
  ['192.31.196.1', 'special'],
  ['192.52.193.1', 'special'],
  ['192.88.99.1', 'special'],
  ['192.175.48.1', 'special'],
  ['198.18.0.1', 'special'],
  ['198.51.100.1', 'special'],
  ['203.0.113.1', 'special'],
  ['240.0.0.1', 'special'],
  ['::ffff:10.0.0.1', 'special'],
  ['fd00::1', 'special'],
  ['fc00::1', 'special'],
  ['2001:db8::1', 'special'],
  ['3fff::1', 'special'],
  ['2001:2::1', 'special'],
  ['2001:20::1', 'special'],
  ['2620:4f:8000::1', 'special'],
  ['5f00::1', 'special'],
  ['100::1', 'special'],
  ['64:ff9b:1::1', 'special'],
  ['fec0::1', 'special'],
  ['127.0.0.1', 'machine'],
  ['127.255.255.254', 'machine'],
  ['169.254.169.254', 'machine'],
  ['::1', 'machine'],
  ['fe80::1', 'machine'],
  ['::ffff:127.0.0.1', 'machine'],
  ['::ffff:a9fe:a9fe', 'machine'],
  ['0.0.0.0', 'never'],
  ['0.1.2.3', 'never'],
  ['255.255.255.255', 'never'],
  ['224.0.0.1', 'never'],
  ['::', 'never'],
  ['::7f00:1', 'never'],
  ['::a00:1', 'never'],
  ['::ffff:0:7f00:1', 'never'],
  ['100:0:0:1::1', 'never'],
  ['4000::1', 'never'],
  ['64:ff9b::7f00:1', 'never'],
  ['64:ff9b::a00:1', 'never'],
  ['2002:7f00:1::', 'never'],
  ['2002:a00:1::1', 'never'],
  ['2001::1', 'never'],
  ['ff02::1', 'never'],
] as const) {
  test(`${text} is ${expected}`, () => {
    const address = parseAddress(text)
    assert.ok(address)
    assert.equal(classOf(address), expected)
  })
}

for (const text of ['', 'localhost', '2130706433', '0x7f.1', '127.1', '0177.0.0.1', '1.2.3.4.5']) {
  test(`'${text}' is no plain address`, () => {
    assert.equal(parseAddress(text), undefined)
  })
}
