import assert from 'node:assert/strict'
import { test } from 'node:test'
import { a, IF_NEW, NAME, usePrivateDns } from './private-dns-for-tests.ts'
import { createZoneSource } from './zone-source.ts'

const dns = usePrivateDns()

test('a set is created empty, filled and emptied, as az does it', async () => {
  const created = await dns.set('a/myregistry.westeurope.data', {}, IF_NEW)
  assert.equal(created.status, 201)
  const { etag: _, ...shown } = created.body
  assert.deepEqual(shown, {
    id: `${dns.zone}/A/myregistry.westeurope.data`,
    name: 'myregistry.westeurope.data',
    type: 'Microsoft.Network/privateDnsZones/A',
    properties: {
      fqdn: `myregistry.westeurope.data.${NAME}.`,
      ttl: 3600,
      aRecords: [],
      isAutoRegistered: false,
    },
  })
  const filled = await dns.set('a/myregistry.westeurope.data', { ...a('10.0.0.5'), TTL: 60 })
  assert.equal(filled.status, 200)
  assert.deepEqual(filled.body.properties.aRecords, [{ ipv4Address: '10.0.0.5' }])
  assert.equal((await dns.arm.delete(`${dns.zone}/a/myregistry.westeurope.data`)).status, 200)
  assert.equal((await dns.arm.delete(`${dns.zone}/a/myregistry.westeurope.data`)).status, 204)
})

for (const [path, properties] of [
  ['AAAA/x', { aaaaRecords: [{ ipv6Address: 'fd00::1' }] }],
  ['CNAME/x', { cnameRecord: { cname: 'www.example' } }],
  ['MX/x', { mxRecords: [{ preference: 1, exchange: 'ex.chan.ge' }] }],
  ['PTR/x', { ptrRecords: [{ ptrdname: 'ptrd.name' }] }],
  ['SRV/_sip._tcp', { srvRecords: [{ priority: 1, weight: 5, port: 120, target: 'targ.et' }] }],
  ['TXT/x', { txtRecords: [{ value: ['txt record', 'more'] }] }],
  ['A/*', a('10.0.0.1')],
  ['A/@', a('10.0.0.1')],
] as const) {
  test(`${path} is kept as it was sent`, async () => {
    const answer = await dns.set(path, { ...properties, metadata: { by: 'test' } })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    const [name] = path.split('/').slice(1)
    assert.deepEqual(answer.body.properties, {
      ...properties,
      metadata: { by: 'test' },
      ttl: 3600,
      fqdn: name === '@' ? `${NAME}.` : `${name}.${NAME}.`,
      isAutoRegistered: false,
    })
  })
}

for (const [what, path, properties, message] of [
  [
    'an address that is none',
    'A/x',
    a('10.0.0.256'),
    "The provided ip address '10.0.0.256' is not valid.",
  ],
  [
    'an IPv4 address among AAAA',
    'AAAA/x',
    { aaaaRecords: [{ ipv6Address: '10.0.0.1' }] },
    "The provided ip address '10.0.0.1' is not valid.",
  ],
  [
    'a target that is no name',
    'CNAME/x',
    { cnameRecord: { cname: 'a..b' } },
    "The domain name 'a..b' is invalid.",
  ],
  [
    'a TTL below zero',
    'A/x',
    { ttl: -1 },
    "The TTL '-1' is not valid: it must be a number of seconds from 0 to 2147483647.",
  ],
  [
    'a TTL beyond 31 bits',
    'A/x',
    { ttl: 2147483648 },
    "The TTL '2147483648' is not valid: it must be a number of seconds from 0 to 2147483647.",
  ],
] as const) {
  test(`400: ${what}, told without an envelope`, async () => {
    const answer = await dns.set(path, properties)
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.body, { code: 'BadRequest', message })
  })
}

test('400: a name that is none', async () => {
  assert.equal((await dns.set('A/a..b', a('10.0.0.1'))).status, 400)
  assert.equal((await dns.set('A/b.*', a('10.0.0.1'))).status, 400)
})

test('409: an alias stands alone at its name', async () => {
  await dns.set('A/x', a('10.0.0.1'))
  const alias = await dns.set('CNAME/X', { cnameRecord: { cname: 'www.example' } })
  assert.deepEqual([alias.status, alias.body.code], [409, 'Conflict'])
  assert.match(alias.body.message, /^The CNAME record could not be created because another record/)

  await dns.set('CNAME/y', { cnameRecord: { cname: 'www.example' } })
  const beside = await dns.set('TXT/y', { txtRecords: [{ value: ['x'] }] })
  assert.deepEqual([beside.status, beside.body.code], [409, 'Conflict'])
  assert.match(beside.body.message, /^The record could not be created because a CNAME record/)
})

test('409: the apex has no alias', async () => {
  assert.equal((await dns.set('CNAME/@', { cnameRecord: { cname: 'www.example' } })).status, 409)
})

test('409: more than twenty records in a set', async () => {
  const addresses = Array.from({ length: 21 }, (_, index) => `10.0.0.${index}`)
  assert.equal((await dns.set('A/x', a(...addresses.slice(1)))).status, 201)
  assert.equal((await dns.set('A/x', a(...addresses))).status, 409)
})

test('404: a set that is not there, in the words of record sets', async () => {
  const answer = await dns.arm.get(`${dns.zone}/a/gone`)
  assert.equal(answer.status, 404)
  assert.deepEqual(answer.body, {
    code: 'NotFound',
    message: `The resource record 'gone' does not exist in resource group '${dns.group.split('/').at(-1)}' of subscription '${dns.arm.settings.subscriptionId}'.`,
  })
})

test('404: a zone that is not there, in the words and the envelope of ARM', async () => {
  const missing = dns.zone.replace(NAME, 'nowhere.example')
  const answer = await dns.arm.put(`${missing}/A/x`, { properties: { ttl: 60 } })
  assert.deepEqual([answer.status, answer.body.error.code], [404, 'ParentResourceNotFound'])
})

test('412: preconditions, in the words of record sets', async () => {
  await dns.set('A/x', a('10.0.0.1'), IF_NEW)
  const again = await dns.set('A/x', a('10.0.0.1'), IF_NEW)
  assert.equal(again.status, 412)
  assert.deepEqual(again.body, {
    code: 'PreconditionFailed',
    message: 'The Record set x exists already and hence cannot be created again.',
  })
  const stale = await dns.set('A/x', a('10.0.0.2'), { 'if-match': 'stale' })
  assert.deepEqual(stale.body, {
    code: 'PreconditionFailed',
    message: 'The Record set x has been modified (etag mismatch).',
  })
})

test('a PATCH replaces what it names as a whole and leaves the rest', async () => {
  await dns.set('A/x', { ...a('10.0.0.1'), ttl: 0, metadata: { one: '1' } })
  const metadata = { two: '2' }
  const answer = await dns.arm.patch(`${dns.zone}/A/x`, { properties: { metadata } })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body.properties.metadata, metadata)
  assert.deepEqual(answer.body.properties.aRecords, [{ ipv4Address: '10.0.0.1' }])
  assert.equal(answer.body.properties.ttl, 0)
})

test('the SOA is changed, keeps its serial number, and is never deleted', async () => {
  const changed = await dns.set('SOA/@', {
    soaRecord: { host: 'a.example', email: 'b.example', serialNumber: 5, minimumTtl: 2 },
  })
  assert.equal(changed.status, 200, JSON.stringify(changed.body))
  assert.equal(changed.body.properties.soaRecord.serialNumber, 1)
  assert.equal(changed.body.properties.soaRecord.minimumTtl, 2)
  assert.equal((await dns.arm.delete(`${dns.zone}/SOA/@`)).status, 400)
  assert.equal((await dns.set('SOA/x', {})).status, 404)
})

test('all record sets are listed together, the SOA first; one type alone', async () => {
  await dns.set('A/x', a('10.0.0.1'))
  await dns.set('TXT/x', { txtRecords: [{ value: ['x'] }] })
  const names = async (path: string) =>
    (await dns.arm.list(`${dns.zone}/${path}`)).map(
      (each) => `${each.type.split('/').at(-1)} ${each.name}`,
    )
  assert.deepEqual(await names('ALL'), ['SOA @', 'A x', 'TXT x'])
  assert.deepEqual(await names('recordsets'), ['SOA @', 'A x', 'TXT x'])
  assert.deepEqual(await names('a'), ['A x'])
})

test('what is acknowledged is in the view of the network', async () => {
  const source = await createZoneSource({ resources: dns.arm.plane.resources, feed: dns.arm.feed })
  const networkId = await dns.createNetwork('vnet1')
  const { resourceGuid } = (await dns.arm.get(networkId)).body.properties
  const place = `net-${resourceGuid.slice(0, 8)}`
  const names = () => source.zonesVisibleFrom(place).flatMap((each) => [...each.records.keys()])

  await dns.set('A/myregistry', a('10.0.0.7'))
  assert.deepEqual(source.zonesVisibleFrom(place), [])
  await dns.link('mylink', networkId)
  assert.deepEqual(names(), ['myregistry'])
  await dns.arm.delete(`${dns.zone}/A/myregistry`)
  assert.deepEqual(names(), [])
  assert.equal(source.zonesVisibleFrom(place).length, 1)
  await dns.arm.deleteAndWait(dns.group)
  assert.deepEqual(source.zonesVisibleFrom(place), [])
})
