import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REGISTRY_NAMES, zone, zonesOf } from './names-for-tests.ts'
import { createResolver } from './resolver.ts'

const a = (...values: readonly string[]) => ({ type: 'A', ttl: 10, values }) as const
const cname = (target: string) => ({ type: 'CNAME', ttl: 60, values: [target] }) as const

const PRIVATE = zone('privatelink.azurecr.io', {
  '@': [{ type: 'TXT', ttl: 60, values: ['"apex"'] }],
  myregistry: [a('10.0.0.7')],
  'myregistry.westeurope.data': [a('10.0.0.5')],
  empty: [a()],
  elsewhere: [cname('shop.corp.example')],
})
const CORP = zone('corp.example', {
  shop: [a('10.9.0.1', '10.9.0.2')],
  '*': [a('10.9.9.9')],
  'x.host': [a('10.9.0.3')],
  loop: [cname('pool.corp.example')],
  pool: [cname('loop.corp.example')],
  out: [cname('management.azure.com')],
  lost: [cname('nobody.example.org')],
})
const INNER = zone('inner.corp.example', { www: [a('10.8.0.1')] })

const zones = zonesOf({
  net: [PRIVATE],
  corp: [CORP, INNER, PRIVATE],
  bare: [zone('privatelink.azurecr.io', {})],
  redirecting: [zone('privatelink.azurecr.io', {}, { redirectsNxDomain: true })],
})
const resolver = createResolver({ zones, names: REGISTRY_NAMES })

const SOA = 'privatelink.azurecr.io 10 SOA'
const CHAIN = [
  'myregistry.privatelink.azurecr.io 3600 CNAME xxxx.xx.azcr.io',
  'xxxx.xx.azcr.io 300 CNAME xxxx-xxx-reg.trafficmanager.net',
  'xxxx-xxx-reg.trafficmanager.net 300 CNAME xxxx.westeurope.cloudapp.azure.com',
]
const FIRST = 'myregistry.azurecr.io 3600 CNAME myregistry.privatelink.azurecr.io'
const FRONT = 'xxxx.westeurope.cloudapp.azure.com 10 A 20.45.122.144'

for (const [place, name, type, rcode, answers, authority] of [
  // The two lines of the article, and the public chain.
  [
    'net',
    'myregistry.azurecr.io',
    'A',
    'NOERROR',
    [FIRST, 'myregistry.privatelink.azurecr.io 10 A 10.0.0.7'],
    [],
  ],
  ['internet', 'myregistry.azurecr.io', 'A', 'NOERROR', [FIRST, ...CHAIN, FRONT], []],
  // Other types: the chain and NODATA, with the SOA of the zone where it ends.
  ['net', 'myregistry.azurecr.io', 'AAAA', 'NOERROR', [FIRST], [SOA]],
  ['internet', 'myregistry.azurecr.io', 'AAAA', 'NOERROR', [FIRST, ...CHAIN], ['azure.com 10 SOA']],
  ['net', 'myregistry.azurecr.io', 'CNAME', 'NOERROR', [FIRST], []],
  ['net', 'myregistry.azurecr.io', 'TYPE65', 'NOERROR', [FIRST], [SOA]],
  // What a linked zone lacks does not exist, unless the link redirects.
  ['bare', 'myregistry.azurecr.io', 'A', 'NXDOMAIN', [FIRST], [SOA]],
  ['redirecting', 'myregistry.azurecr.io', 'A', 'NOERROR', [FIRST, ...CHAIN, FRONT], []],
  ['redirecting', 'other.privatelink.azurecr.io', 'A', 'NXDOMAIN', [], ['azurecr.io 10 SOA']],
  ['redirecting', 'myregistry.privatelink.azurecr.io', 'TXT', 'NXDOMAIN', [], [SOA]],
  // Names without records are there all the same.
  ['net', 'empty.privatelink.azurecr.io', 'A', 'NOERROR', [], [SOA]],
  ['net', 'westeurope.data.privatelink.azurecr.io', 'A', 'NOERROR', [], [SOA]],
  ['net', 'westeurope.data.myregistry.privatelink.azurecr.io', 'A', 'NXDOMAIN', [], [SOA]],
  ['corp', 'host.corp.example', 'A', 'NOERROR', [], ['corp.example 10 SOA']],
  // A zone holds whole labels.
  ['net', 'notprivatelink.azurecr.io', 'A', 'NXDOMAIN', [], ['azurecr.io 10 SOA']],
  // The apex.
  ['net', 'privatelink.azurecr.io', 'SOA', 'NOERROR', ['privatelink.azurecr.io 3600 SOA'], []],
  ['net', 'privatelink.azurecr.io', 'TXT', 'NOERROR', ['privatelink.azurecr.io 60 TXT "apex"'], []],
  ['net', 'privatelink.azurecr.io', 'A', 'NOERROR', [], [SOA]],
  // Case: what was asked is echoed, what is found does not depend on it.
  [
    'net',
    'MyRegistry.PrivateLink.azurecr.io',
    'A',
    'NOERROR',
    ['MyRegistry.PrivateLink.azurecr.io 10 A 10.0.0.7'],
    [],
  ],
  // Wildcards (RFC 4592): never for a name that exists, never past a name that exists.
  ['corp', 'any.thing.corp.example', 'A', 'NOERROR', ['any.thing.corp.example 10 A 10.9.9.9'], []],
  ['corp', 'any.corp.example', 'AAAA', 'NOERROR', [], ['corp.example 10 SOA']],
  ['corp', 'y.host.corp.example', 'A', 'NXDOMAIN', [], ['corp.example 10 SOA']],
  [
    'corp',
    'shop.corp.example',
    'A',
    'NOERROR',
    ['shop.corp.example 10 A 10.9.0.1', 'shop.corp.example 10 A 10.9.0.2'],
    [],
  ],
  // The longest linked zone decides alone.
  ['corp', 'www.inner.corp.example', 'A', 'NOERROR', ['www.inner.corp.example 10 A 10.8.0.1'], []],
  ['corp', 'gone.inner.corp.example', 'A', 'NXDOMAIN', [], ['inner.corp.example 10 SOA']],
  // Aliases cross zones.
  [
    'corp',
    'elsewhere.privatelink.azurecr.io',
    'A',
    'NOERROR',
    [
      'elsewhere.privatelink.azurecr.io 60 CNAME shop.corp.example',
      'shop.corp.example 10 A 10.9.0.1',
      'shop.corp.example 10 A 10.9.0.2',
    ],
    [],
  ],
  [
    'corp',
    'out.corp.example',
    'A',
    'NOERROR',
    ['out.corp.example 60 CNAME management.azure.com', 'management.azure.com 60 A 20.45.0.1'],
    [],
  ],
  [
    'corp',
    'lost.corp.example',
    'A',
    'NXDOMAIN',
    ['lost.corp.example 60 CNAME nobody.example.org'],
    [' 10 SOA'],
  ],
  ['corp', 'loop.corp.example', 'A', 'SERVFAIL', [], []],
  // Public names: below what we play a missing name is the domain's, elsewhere it is the root's.
  ['internet', 'nope.azurecr.io', 'A', 'NXDOMAIN', [], ['azurecr.io 10 SOA']],
  ['internet', 'shop.corp.example', 'A', 'NXDOMAIN', [], [' 10 SOA']],
  ['internet', '', 'NS', 'NOERROR', [], [' 10 SOA']],
  ['net', 'shop.corp.example', 'A', 'NXDOMAIN', [], [' 10 SOA']],
  // ANY: one small record (RFC 8482), but only for what exists.
  [
    'net',
    'myregistry.privatelink.azurecr.io',
    'ANY',
    'NOERROR',
    ['myregistry.privatelink.azurecr.io 3600 HINFO "RFC8482" ""'],
    [],
  ],
  [
    'internet',
    'management.azure.com',
    'ANY',
    'NOERROR',
    ['management.azure.com 3600 HINFO "RFC8482" ""'],
    [],
  ],
  ['net', 'gone.privatelink.azurecr.io', 'ANY', 'NXDOMAIN', [], [SOA]],
] as const) {
  test(`from ${place}, ${name || '.'} ${type}: ${rcode}`, () => {
    const resolution = resolver.resolve(place, { name, type })
    const lines = (records: typeof resolution.answers) =>
      records.map((record) =>
        record.type === 'SOA'
          ? `${record.name} ${record.ttl} SOA`
          : `${record.name} ${record.ttl} ${record.type} ${record.value}`,
      )
    assert.deepEqual(
      [resolution.rcode, lines(resolution.answers), lines(resolution.authority)],
      [rcode, answers, authority],
    )
  })
}

test('reasons name the view, the zone, the link and the record set of each step', () => {
  const { reasons, authoritative } = resolver.resolve('net', {
    name: 'myregistry.azurecr.io',
    type: 'A',
  })
  assert.equal(authoritative, false)
  assert.deepEqual(reasons, [
    { view: 'net', name: 'myregistry.azurecr.io', rule: 'public' },
    {
      view: 'net',
      name: 'myregistry.privatelink.azurecr.io',
      rule: 'record',
      zone: '/zones/privatelink.azurecr.io',
      link: '/zones/privatelink.azurecr.io/links/link',
      recordSet: 'A/myregistry',
    },
  ])
})

test('reasons say that a link looked on publicly', () => {
  const { reasons } = resolver.resolve('redirecting', {
    name: 'myregistry.privatelink.azurecr.io',
    type: 'A',
  })
  assert.deepEqual(
    reasons.map((reason) => reason.rule),
    ['redirect', 'public', 'public', 'public', 'public'],
  )
})

test('a negative answer lives no longer than the SOA record itself', () => {
  const brief = { ...zone('corp.example', {}), soaTtl: 5 }
  const { resolve } = createResolver({ zones: zonesOf({ net: [brief] }), names: REGISTRY_NAMES })
  const { authority } = resolve('net', { name: 'nobody.corp.example', type: 'A' })
  assert.deepEqual(
    authority.map(({ ttl }) => ttl),
    [5],
  )
})
