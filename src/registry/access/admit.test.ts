import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Origin } from '../../lib/origin.ts'
import type { PublicAccess } from '../registry-directory.ts'
import { SAMPLE_REGISTRY } from '../samples/sample-registry.ts'
import { DATA_HOST, startRegistry } from '../testing/registry-fixture.ts'
import { admit } from './admit.ts'

const HOST = 'myregistry.azurecr.io'
const outside: Origin = { via: 'public', place: 'internet', address: '203.0.113.7' }
const endpoint: Origin = {
  via: 'endpoint',
  place: 'net-1',
  endpoint: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/e',
  host: HOST,
  address: '10.0.0.9',
}
const selected = (...ranges: string[]): PublicAccess => ({ kind: 'selected', ranges })

for (const [name, origin, host, publicAccess, expected] of [
  ['outside, open to all', outside, HOST, { kind: 'all' }, 'admitted'],
  ['outside, public access off', outside, HOST, { kind: 'none' }, 'DENIED'],
  ['outside, address in a rule', outside, HOST, selected('203.0.113.0/24'), 'admitted'],
  ['outside, address is the rule', outside, HOST, selected('203.0.113.7'), 'admitted'],
  ['outside, address beside the rules', outside, HOST, selected('203.0.113.8'), 'DENIED'],
  ['outside, rules but none', outside, HOST, selected(), 'DENIED'],
  ['endpoint, public access off', endpoint, HOST, { kind: 'none' }, 'admitted'],
  ['endpoint, for another host', endpoint, 'other.azurecr.io', { kind: 'all' }, 'NOT_FOUND'],
  ['on the host itself', { via: 'host', address: '127.0.0.1' }, HOST, { kind: 'all' }, 'NOT_FOUND'],
] as const) {
  test(`${name}: ${expected}`, () => {
    const admission = admit(origin, { ...SAMPLE_REGISTRY, publicAccess }, host)
    assert.equal(admission.admitted ? 'admitted' : admission.error.code, expected)
  })
}

test('403: a client that may not come in is told so at every path, in the words of the service', async (t) => {
  const registry = await startRegistry(t)
  registry.facts = { ...registry.facts, publicAccess: { kind: 'none' } }
  for (const [host, path] of [
    [registry.address, '/v2/'],
    [registry.address, '/v2/app/manifests/v1'],
    [registry.address, '/oauth2/token?scope=repository:app:pull'],
    [registry.address, '/acr/v1/_catalog'],
    [DATA_HOST, '/v2/app/blobs/sha256:abc'],
  ] as const) {
    const answer = await registry.send('GET', path, { host })
    assert.equal(answer.status, 403, path)
    assert.equal(
      answer.body.toString(),
      `{"errors":[{"code":"DENIED","message":"client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."}]}`,
    )
  }
  assert.equal(registry.logged.length, 5)
})

test('404: a host name that is no registry is not served', async (t) => {
  const registry = await startRegistry(t)
  const answer = await registry.send('GET', '/v2/', { host: 'unknown.azurecr.io' })
  assert.deepEqual([answer.status, answer.code], [404, 'UNSUPPORTED'])
})
