import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createNetworkLab, type NetworkLab } from '../../../test/support/private-network.ts'

let lab: NetworkLab
before(async () => {
  lab = await createNetworkLab()
})
after(() => lab.arm.close())

async function putZone(name: string): Promise<string> {
  return (await lab.arm.put(lab.id(`privateDnsZones/${name}`), { location: 'global' })).body.id
}

const putGroup = (endpoint: string, zones: readonly string[], name = 'default') =>
  lab.arm.put(`${endpoint}/privateDnsZoneGroups/${name}`, {
    properties: {
      privateDnsZoneConfigs: zones.map((privateDnsZoneId, index) => ({
        name: `zone${index}`,
        properties: { privateDnsZoneId },
      })),
    },
  })

const recordsIn = async (zone: string): Promise<Record<string, string[]>> =>
  Object.fromEntries(
    (await lab.arm.list(`${zone}/A`)).map(({ name, properties }) => [
      name,
      properties.aRecords.map((each: { ipv4Address: string }) => each.ipv4Address),
    ]),
  )

/** An emptied zone, and a network, a store and an endpoint of that name. */
async function setUp(name: string) {
  const zone = await putZone('privatelink.contoso.io')
  for (const { id } of await lab.arm.list(`${zone}/A`)) await lab.arm.delete(id)
  const subnet = await lab.network(name)
  const store = await lab.store(name)
  const endpoint = (await lab.endpoint(name, subnet, store)).body.id
  return { zone, subnet, store, endpoint }
}

test('a group writes the names of its endpoint into the zone and shows them', async () => {
  const { zone, endpoint } = await setUp('written')
  const { status, body } = await putGroup(endpoint, [zone])
  assert.equal(status, 201)
  const [config] = body.properties.privateDnsZoneConfigs
  assert.deepEqual(config, {
    name: 'zone0',
    id: `${endpoint}/privateDnsZoneGroups/default/privateDnsZoneConfigs/zone0`,
    etag: body.etag,
    type: 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups/privateDnsZoneConfigs',
    properties: {
      provisioningState: 'Succeeded',
      privateDnsZoneId: zone,
      recordSets: [
        {
          recordType: 'A',
          recordSetName: 'written.westeurope.data',
          fqdn: 'written.westeurope.data.privatelink.contoso.io',
          ttl: 10,
          provisioningState: 'Succeeded',
          ipAddresses: ['10.0.0.4'],
        },
        {
          recordType: 'A',
          recordSetName: 'written',
          fqdn: 'written.privatelink.contoso.io',
          ttl: 10,
          provisioningState: 'Succeeded',
          ipAddresses: ['10.0.0.5'],
        },
      ],
    },
  })
  const { properties } = (await lab.arm.get(`${zone}/A/written`)).body
  const { resourceGuid, customDnsConfigs } = (await lab.arm.get(endpoint)).body.properties
  assert.deepEqual(properties, {
    ttl: 10,
    aRecords: [{ ipv4Address: '10.0.0.5' }],
    fqdn: 'written.privatelink.contoso.io.',
    isAutoRegistered: false,
    metadata: {
      creator: `created by private endpoint written with resource guid ${resourceGuid}`,
    },
  })
  assert.deepEqual(customDnsConfigs, [])
})

test('records follow the replicas', async () => {
  const { zone, store, endpoint } = await setUp('following')
  await putGroup(endpoint, [zone])
  await lab.arm.put(`${store}/replicas/eastus`, {})
  assert.deepEqual(await recordsIn(zone), {
    following: ['10.0.0.5'],
    'following.eastus.data': ['10.0.0.6'],
    'following.westeurope.data': ['10.0.0.4'],
  })
  await lab.arm.delete(`${store}/replicas/eastus`)
  assert.deepEqual(Object.keys(await recordsIn(zone)), ['following', 'following.westeurope.data'])
})

test('records stay when the connection is rejected, and go with the zone from the group', async () => {
  const { zone, store, endpoint } = await setUp('approved')
  await putGroup(endpoint, [zone])
  const connection = await lab.connection(store)
  const records = { approved: ['10.0.0.5'], 'approved.westeurope.data': ['10.0.0.4'] }
  const decide = (status: string) =>
    lab.arm.put(connection, { properties: { privateLinkServiceConnectionState: { status } } })
  await decide('Rejected')
  assert.deepEqual(await recordsIn(zone), records)
  await decide('Approved')
  assert.deepEqual(await recordsIn(zone), records)
  await decide('Rejected')
  await putGroup(endpoint, [])
  assert.deepEqual(await recordsIn(zone), {})
})

test('a record that was deleted by hand stays deleted, until the group is put again', async () => {
  const { zone, store, endpoint } = await setUp('byhand')
  await putGroup(endpoint, [zone])
  await lab.arm.delete(`${zone}/A/byhand`)
  await lab.arm.put(`${store}/replicas/eastus`, {})
  assert.deepEqual(Object.keys(await recordsIn(zone)), [
    'byhand.eastus.data',
    'byhand.westeurope.data',
  ])
  await putGroup(endpoint, [zone])
  assert.deepEqual((await recordsIn(zone)).byhand, ['10.0.0.5'])
})

test('deleting the endpoint deletes its records, but not what somebody put in their place', async () => {
  const { zone, endpoint } = await setUp('leaving')
  await putGroup(endpoint, [zone])
  await lab.arm.put(`${zone}/A/leaving`, {
    properties: { ttl: 3600, aRecords: [{ ipv4Address: '10.9.9.9' }] },
  })
  await lab.arm.delete(endpoint)
  assert.deepEqual(await recordsIn(zone), { leaving: ['10.9.9.9'] })
})

test('of two endpoints of one store in one zone the last writer has the records, and keeps them', async () => {
  const { zone, store, endpoint } = await setUp('rivals')
  const second = (await lab.endpoint('rivals2', await lab.network('rivals2'), store)).body.id
  await lab.nic('spacer', lab.id('virtualNetworks/rivals2/subnets/default'))
  await putGroup(endpoint, [zone])
  await putGroup(second, [zone])
  await lab.arm.delete(endpoint)
  assert.deepEqual(Object.keys(await recordsIn(zone)), ['rivals', 'rivals.westeurope.data'])
  await lab.arm.delete(second)
  assert.deepEqual(await recordsIn(zone), {})
})

test('deleting the group deletes the records and shows the names at the endpoint again', async () => {
  const { zone, endpoint } = await setUp('ungrouped')
  const group = (await putGroup(endpoint, [zone])).body.id
  assert.equal((await lab.arm.delete(group)).status, 200)
  assert.deepEqual(await recordsIn(zone), {})
  assert.equal((await lab.arm.get(endpoint)).body.properties.customDnsConfigs.length, 2)
})

test("a zone that is not the target's own is accepted and stays empty", async () => {
  const { endpoint } = await setUp('foreign')
  const zone = await putZone('www.clizone1.com')
  const { status, body } = await putGroup(endpoint, [zone])
  assert.equal(status, 201)
  assert.deepEqual(body.properties.privateDnsZoneConfigs[0].properties.recordSets, [])
})

test('400: a group has known zones, five at most, and is the only one of its endpoint', async () => {
  const { zone, endpoint } = await setUp('refused')
  const id = `${endpoint}/privateDnsZoneGroups/default`
  const error = async (zones: readonly string[], name?: string) =>
    (await putGroup(endpoint, zones, name)).body.error
  assert.deepEqual(await error([`${zone}x`]), {
    code: 'InvalidPrivateDnsZoneIds',
    message: `Private Dns Zone group ${id} has invalid private dns zone ids ${zone}x.`,
    details: [],
  })
  assert.equal((await error([''])).code, 'LinkedInvalidPropertyId')
  assert.equal((await error(Array(6).fill(zone))).code, 'InvalidRequestContent')
  await putGroup(endpoint, [zone])
  assert.deepEqual(await error([zone], 'second'), {
    code: 'MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed',
    message: `Cannot create more than one private dns zone groups in the private endpoint ${endpoint}.`,
    details: [],
  })
})
