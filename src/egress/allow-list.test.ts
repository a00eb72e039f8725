import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CannotStart } from '../lib/cannot-start.ts'
import { parseAddress } from './address-class.ts'
import { parseAllowList } from './allow-list.ts'

for (const [allow, host, text, expected] of [
  [[], 'a.test', '20.45.122.144', true],
  [[], 'a.test', '10.0.0.1', false],
  [['10.0.0.0/8'], 'a.test', '10.0.0.1', true],
  [['10.0.0.0/8'], 'a.test', '192.168.0.1', false],
  [['10.0.0.7'], 'a.test', '10.0.0.7', true],
  [['10.0.0.7'], 'a.test', '10.0.0.8', false],
  [['fd00::/8'], 'a.test', 'fd00::1', true],
  [['10.0.0.0/8'], 'a.test', '::ffff:10.0.0.1', true],
  [['A.test.'], 'a.test', '10.0.0.1', true],
  [['a.test'], 'b.a.test', '10.0.0.1', false],
  // A name may be pointed at this machine by whoever runs its zone.
  [['a.test'], 'a.test', '127.0.0.1', false],
  [['a.test'], 'a.test', '169.254.169.254', false],
  [['localhost'], 'localhost', '127.0.0.1', false],
  // Nor does a wide prefix mean it.
  [['0.0.0.0/0', '::/0'], 'a.test', '192.168.0.1', true],
  [['0.0.0.0/0', '::/0'], 'a.test', '127.0.0.1', false],
  [['0.0.0.0/0', '::/0'], 'a.test', '::1', false],
  [['0.0.0.0/0', '::/0'], 'a.test', '169.254.169.254', false],
  [['127.0.0.0/8'], 'a.test', '127.0.0.1', true],
  [['127.0.0.0/7'], 'a.test', '127.0.0.1', false],
  [['127.0.0.1'], 'a.test', '127.0.0.1', true],
  [['127.0.0.1'], 'a.test', '127.0.0.2', false],
  [['::1'], 'a.test', '::1', true],
  [['0.0.0.0/8', '224.0.0.0/4', '::/8'], 'a.test', '0.0.0.0', false],
  [['0.0.0.0/8', '224.0.0.0/4', '::/8'], 'a.test', '224.0.0.1', false],
  [['64:ff9b::/96'], 'a.test', '64:ff9b::a00:1', false],
] as const) {
  test(`with [${allow}] ${host} at ${text} is ${expected ? 'open' : 'closed'}`, () => {
    const address = parseAddress(text)
    assert.ok(address)
    assert.equal(parseAllowList(allow).isOpen(host, address), expected)
  })
}

for (const entry of ['', '10.0.0.0/33', '10.0.0/8', '10.1', 'a b', 'https://a.test', '*.test']) {
  test(`refused at the start: '${entry}'`, () => {
    assert.throws(() => parseAllowList([entry]), CannotStart)
  })
}
