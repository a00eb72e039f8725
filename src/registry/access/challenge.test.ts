import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseChallenge } from './challenge.ts'

for (const [header, expected] of [
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nats:pull"',
    {
      scheme: 'bearer',
      realm: 'https://auth.docker.io/token',
      service: 'registry.docker.io',
      scope: 'repository:library/nats:pull',
    },
  ],
  ['bearer realm=https://a.test/token', { scheme: 'bearer', realm: 'https://a.test/token' }],
  ['Basic realm="Registry Realm"', { scheme: 'basic' }],
  ['Basic', { scheme: 'basic' }],
  [
    'Negotiate, Bearer realm="https://a.test/t?x=1, Basic", error="a \\"b\\""',
    { scheme: 'bearer', realm: 'https://a.test/t?x=1, Basic' },
  ],
  ['Digest realm="a", Basic realm="b"', { scheme: 'basic' }],
  ['Bearer service="no realm"', undefined],
  ['', undefined],
] as const) {
  test(`the challenge '${header}'`, () => {
    assert.deepEqual(parseChallenge(header), expected)
  })
}
