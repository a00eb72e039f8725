import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createNetworkLab, type NetworkLab } from '../../../test/support/private-network.ts'

const programs = new Map<string, readonly string[]>()
let lab: NetworkLab
before(async () => {
  lab = await createNetworkLab({}, (network) => programs.get(network) ?? [])
})
after(() => lab.arm.close())

test('after a replica and a machine, an endpoint has .5 and .6 for data and .7 for the store', async () => {
  const subnet = await lab.network('article')
  const store = await lab.store('article', ['eastus'])
  await lab.nic('machine', subnet)
  const endpoint = await lab.endpoint('article', subnet, store)
  assert.equal(endpoint.status, 201)
  assert.deepEqual(await lab.addresses(endpoint), [
    ['store_data_westeurope', '10.0.0.5'],
    ['store_data_eastus', '10.0.0.6'],
    ['store', '10.0.0.7'],
  ])
  assert.deepEqual(endpoint.body.properties.customDnsConfigs, [
    { fqdn: 'article.westeurope.data.contoso.io', ipAddresses: ['10.0.0.5'] },
    { fqdn: 'article.eastus.data.contoso.io', ipAddresses: ['10.0.0.6'] },
    { fqdn: 'article.contoso.io', ipAddresses: ['10.0.0.7'] },
  ])
})

test('a replica adds a member with its own address, and takes it away again', async () => {
  const subnet = await lab.network('replicas')
  const store = await lab.store('replicas')
  const endpoint = await lab.endpoint('replicas', subnet, store)
  await lab.nic('neighbour', subnet)
  await lab.arm.put(`${store}/replicas/eastus`, {})
  assert.deepEqual(await lab.addresses(endpoint), [
    ['store_data_westeurope', '10.0.0.4'],
    ['store', '10.0.0.5'],
    ['store_data_eastus', '10.0.0.7'],
  ])
  await lab.arm.delete(`${store}/replicas/eastus`)
  await lab.arm.put(`${store}/replicas/northeurope`, {})
  assert.deepEqual((await lab.addresses(endpoint)).at(-1), ['store_data_northeurope', '10.0.0.7'])
})

test('400: a replica that finds a full subnet is not made', async () => {
  const subnet = await lab.network('crowded', '10.0.0.0/29')
  const store = await lab.store('crowded')
  const endpoint = await lab.endpoint('crowded', subnet, store)
  await lab.nic('crowd', subnet)
  const { status, body } = await lab.arm.put(`${store}/replicas/eastus`, {})
  assert.equal(status, 400)
  assert.equal(body.error.code, 'SubnetIsFull')
  assert.deepEqual(await lab.arm.list(`${store}/replicas`), [])
  assert.equal((await lab.addresses(endpoint)).length, 2)
})

const chosen = (memberName: string, privateIPAddress: string) => ({
  name: memberName,
  properties: { groupId: 'store', memberName, privateIPAddress },
})

test('chosen addresses and a chosen interface name are honoured', async () => {
  const subnet = await lab.network('chosen')
  const store = await lab.store('chosen')
  const ipConfigurations = [
    chosen('store', '10.0.0.200'),
    chosen('store_data_westeurope', '10.0.0.100'),
  ]
  const endpoint = await lab.endpoint('chosen', subnet, store, {
    ipConfigurations,
    customNetworkInterfaceName: 'chosennic',
  })
  assert.deepEqual(endpoint.body.properties.networkInterfaces, [
    { id: lab.id('networkInterfaces/chosennic') },
  ])
  assert.deepEqual(await lab.addresses(endpoint), [
    ['store_data_westeurope', '10.0.0.100'],
    ['store', '10.0.0.200'],
  ])

  const missing = await lab.arm.put(`${store}/replicas/eastus`, {})
  assert.equal(missing.status, 400)
  assert.match(
    missing.body.error.message,
    /missing these membernames.*MemberName: store_data_eastus/,
  )
  const more = [...ipConfigurations, chosen('store_data_eastus', '10.0.0.150')]
  const { privateLinkServiceConnections } = endpoint.body.properties
  const extended = await lab.endpoint('chosen', subnet, store, {
    ipConfigurations: more,
    privateLinkServiceConnections,
  })
  assert.equal(extended.status, 200)
  assert.equal((await lab.arm.put(`${store}/replicas/eastus`, {})).status, 201)
  assert.deepEqual((await lab.addresses(endpoint)).at(-1), ['store_data_eastus', '10.0.0.150'])
})

test('400: an endpoint in a subnet without enough addresses is refused as a whole', async () => {
  const subnet = await lab.network('small', '10.0.0.0/29')
  const store = await lab.store('small', ['eastus', 'northeurope'])
  const { status, body } = await lab.endpoint('small', subnet, store)
  assert.equal(status, 400)
  assert.equal(
    body.error.message,
    'Subnet default with address prefix 10.0.0.0/29 does not have enough capacity for 4 IP addresses.',
  )
  assert.deepEqual(await lab.arm.list(`${store}/privateEndpointConnections`), [])
})

test('addresses of running programs are not given away', async () => {
  const subnet = await lab.network('busy', '10.0.0.0/29')
  programs.set(lab.id('virtualNetworks/busy'), ['10.0.0.4'])
  const store = await lab.store('busy')
  const endpoint = await lab.endpoint('busy', subnet, store)
  assert.deepEqual(await lab.addresses(endpoint), [
    ['store_data_westeurope', '10.0.0.5'],
    ['store', '10.0.0.6'],
  ])
  const full = await lab.nic('late', subnet)
  assert.deepEqual([full.status, full.body.error.code], [400, 'SubnetIsFull'])
})

test('400: a chosen address that a running program has; one of its own stays', async () => {
  const subnet = await lab.network('held')
  const store = await lab.store('held')
  const ask = () =>
    lab.endpoint('held', subnet, store, {
      ipConfigurations: [
        chosen('store', '10.0.0.200'),
        chosen('store_data_westeurope', '10.0.0.100'),
      ],
    })
  programs.set(lab.id('virtualNetworks/held'), ['10.0.0.200'])
  const refused = await ask()
  assert.deepEqual([refused.status, refused.body.error.code], [400, 'PrivateIPAddressIsAllocated'])
  assert.match(
    refused.body.error.message,
    /already allocated to a program that runs in the network/,
  )
  programs.clear()
  assert.equal((await ask()).status, 201)
  programs.set(lab.id('virtualNetworks/held'), ['10.0.0.200'])
  assert.equal((await ask()).status, 200)
})
