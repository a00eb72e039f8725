import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNetworkLab, type NetworkLab } from '../../../test/support/private-network.ts'
import { createNetworkSource, egressAddressOf } from './network-source.ts'

async function sourceOf(lab: NetworkLab) {
  return createNetworkSource({ resources: lab.arm.plane.resources, feed: lab.arm.feed })
}

test('networks are there as soon as they are acknowledged, and after a new start', async (t) => {
  const lab = await createNetworkLab()
  t.after(() => lab.arm.close())
  const source = await sourceOf(lab)
  assert.deepEqual(source.list(), [])
  const subnet = await lab.network('net')
  await lab.nic('machine', subnet)
  const id = lab.id('virtualNetworks/net')
  const guid: string = (await lab.arm.get(id)).body.properties.resourceGuid
  const expected = [
    {
      id,
      name: 'net',
      resourceGroup: 'lab',
      location: 'westeurope',
      place: `net-${guid.slice(0, 8)}`,
      egressAddress: egressAddressOf(guid),
      dnsServers: [],
      addressPrefixes: ['10.0.0.0/16'],
      subnets: [{ id: subnet, name: 'default', prefix: '10.0.0.0/24' }],
      takenAddresses: ['10.0.0.4'],
      listeners: [],
    },
  ]
  assert.deepEqual(source.list(), expected)
  assert.deepEqual((await sourceOf(lab)).list(), expected)
  await lab.arm.put(id, {
    location: 'westeurope',
    properties: {
      addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
      dhcpOptions: { dnsServers: ['10.0.0.4'] },
    },
  })
  assert.deepEqual(source.list()[0]?.dnsServers, ['10.0.0.4'])
  await lab.arm.delete(lab.id('networkInterfaces/machine'))
  await lab.arm.delete(id)
  assert.deepEqual(source.list(), [])
})

test('only approved endpoints listen; their addresses are taken all the same', async (t) => {
  const lab = await createNetworkLab()
  t.after(() => lab.arm.close())
  const source = await sourceOf(lab)
  const subnet = await lab.network('net')
  const store = await lab.store('Shop')
  const endpoint = (await lab.endpoint('door', subnet, store)).body.id
  const listeners = [
    { endpoint, address: '10.0.0.4', host: 'shop.westeurope.data.contoso.io' },
    { endpoint, address: '10.0.0.5', host: 'shop.contoso.io' },
  ]
  assert.deepEqual(source.list()[0]?.listeners, listeners)
  const connection = await lab.connection(store)
  const decide = (status: string) =>
    lab.arm.put(connection, { properties: { privateLinkServiceConnectionState: { status } } })
  await decide('Rejected')
  assert.deepEqual(source.list()[0]?.listeners, [])
  assert.deepEqual(source.list()[0]?.takenAddresses, ['10.0.0.4', '10.0.0.5'])
  await decide('Approved')
  assert.deepEqual(source.list()[0]?.listeners, listeners)
  await lab.arm.delete(endpoint)
  assert.deepEqual(source.list()[0]?.takenAddresses, [])
})

for (const [guid, address] of [
  ['b8fa77dc-c4cb-4e1d-8223-85cb8dbba7d0', '20.71.167.208'],
  ['00000000-0000-0000-0000-000000000000', '20.71.0.1'],
  ['00000000-0000-0000-0000-00000000ffff', '20.71.255.254'],
] as const) {
  test(`the network ${guid} goes out as ${address}`, () =>
    assert.equal(egressAddressOf(guid), address))
}
