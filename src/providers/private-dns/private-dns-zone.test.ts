import assert from 'node:assert/strict'
import { test } from 'node:test'
import { a, IF_NEW, NAME, usePrivateDns } from './private-dns-for-tests.ts'

const dns = usePrivateDns()

test('a new zone has its limits, its counts and its SOA', async () => {
  const { etag, ...shown } = (await dns.arm.get(dns.zone)).body
  assert.match(etag, /^[0-9a-f-]{36}$/)
  assert.deepEqual(shown, {
    id: dns.zone,
    name: NAME,
    type: 'Microsoft.Network/privateDnsZones',
    location: 'global',
    properties: {
      maxNumberOfRecordSets: 25000,
      maxNumberOfVirtualNetworkLinks: 1000,
      maxNumberOfVirtualNetworkLinksWithRegistration: 100,
      numberOfRecordSets: 1,
      numberOfVirtualNetworkLinks: 0,
      numberOfVirtualNetworkLinksWithRegistration: 0,
      provisioningState: 'Succeeded',
    },
  })
  const { etag: _, ...soa } = (await dns.arm.get(`${dns.zone}/SOA/@`)).body
  assert.deepEqual(soa, {
    id: `${dns.zone}/SOA/@`,
    name: '@',
    type: 'Microsoft.Network/privateDnsZones/SOA',
    properties: {
      fqdn: `${NAME}.`,
      ttl: 3600,
      soaRecord: {
        host: 'azureprivatedns.net',
        email: 'azureprivatedns-host.microsoft.com',
        serialNumber: 1,
        refreshTime: 3600,
        retryTime: 300,
        expireTime: 2419200,
        minimumTtl: 10,
      },
      isAutoRegistered: false,
    },
  })
})

test('a PUT of a zone that is there leaves its record sets alone', async () => {
  await dns.set('A/shop', a('10.0.0.5'))
  assert.equal((await dns.arm.put(dns.zone, { location: 'global', tags: { a: 'b' } })).status, 200)
  assert.equal((await dns.arm.get(dns.zone)).body.properties.numberOfRecordSets, 2)
})

test('412: a zone that is there is not created again', async () => {
  const answer = await dns.arm.put(dns.zone, { location: 'global' }, IF_NEW)
  assert.equal(answer.status, 412)
  assert.deepEqual(answer.body.error, {
    code: 'PreconditionFailed',
    message: `The Zone ${NAME} exists already and hence cannot be created again.`,
  })
})

for (const name of ['local', 'azure.com', 'a..b', '-a.example']) {
  test(`400: '${name}' is no name for a zone`, async () => {
    const id = `${dns.group}/providers/Microsoft.Network/privateDnsZones/${name}`
    assert.equal((await dns.arm.put(id, { location: 'global' })).status, 400)
  })
}

test('a zone with record sets only is deleted with them', async () => {
  await dns.set('A/shop', a('10.0.0.5'))
  assert.equal((await dns.arm.delete(dns.zone)).status, 200)
  assert.equal((await dns.arm.get(`${dns.zone}/A/shop`)).status, 404)
  assert.equal((await dns.arm.delete(dns.zone)).status, 204)
  await dns.createZone()
  assert.equal((await dns.arm.get(`${dns.zone}/A/shop`)).status, 404)
})

test('409: a zone with a link is not deleted', async () => {
  await dns.link('mylink', await dns.createNetwork('vnet1'))
  const answer = await dns.arm.delete(dns.zone)
  assert.equal(answer.status, 409)
  assert.deepEqual(answer.body.error, {
    code: 'CannotDeleteResource',
    message:
      'Cannot delete resource while nested resources exist. Some existing nested resource IDs include: ' +
      `'Microsoft.Network/privateDnsZones/${NAME}/virtualNetworkLinks/mylink'. ` +
      'Please delete all nested resources before deleting this resource.',
  })
})

test('a group goes with its zones, links and networks', async () => {
  await dns.link('mylink', await dns.createNetwork('vnet1'))
  await dns.set('A/shop', a('10.0.0.5'))
  assert.equal((await dns.arm.deleteAndWait(dns.group)).status, 200)
  assert.equal((await dns.arm.head(dns.group)).status, 404)
})
