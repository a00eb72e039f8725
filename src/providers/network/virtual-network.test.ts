import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createNetworkLab, type NetworkLab } from '../../../test/support/private-network.ts'

let lab: NetworkLab
before(async () => {
  lab = await createNetworkLab()
})
after(() => lab.arm.close())

const body = (subnets?: readonly object[], addressPrefixes = ['10.0.0.0/16']) => ({
  location: 'westeurope',
  properties: { addressSpace: { addressPrefixes }, ...(subnets && { subnets }) },
})
const subnet = (name: string, addressPrefix: string) => ({ name, properties: { addressPrefix } })

test('a network is shown with its subnets, as the service shows it', async () => {
  const id = lab.id('virtualNetworks/shown')
  const { status, body: shown } = await lab.arm.put(id, body([subnet('one', '10.0.0.0/24')]))
  assert.equal(status, 201)
  const { resourceGuid, subnets, ...properties } = shown.properties
  assert.match(resourceGuid, /^[\da-f-]{36}$/)
  assert.deepEqual(properties, {
    provisioningState: 'Succeeded',
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
    virtualNetworkPeerings: [],
    enableDdosProtection: false,
  })
  assert.match(subnets[0].etag, /^W\/"[\da-f-]{36}"$/)
  assert.deepEqual(subnets, [
    {
      name: 'one',
      id: `${id}/subnets/one`,
      etag: subnets[0].etag,
      type: 'Microsoft.Network/virtualNetworks/subnets',
      properties: {
        provisioningState: 'Succeeded',
        addressPrefix: '10.0.0.0/24',
        delegations: [],
        privateEndpointNetworkPolicies: 'Disabled',
        privateLinkServiceNetworkPolicies: 'Enabled',
      },
    },
  ])
  assert.equal(
    (await lab.arm.get(`${id}/subnets/one`)).body.properties.addressPrefix,
    '10.0.0.0/24',
  )
})

test('a PUT of a network replaces its subnets; one that does not speak of them, and a PATCH, keep them', async () => {
  const id = lab.id('virtualNetworks/replaced')
  const names = async () =>
    (await lab.arm.list(`${id}/subnets`)).map((each: { name: string }) => each.name)
  const inline = body([subnet('one', '10.0.0.0/24')])
  const first = await lab.arm.put(id, inline)
  await lab.arm.put(`${id}/subnets/two`, { properties: { addressPrefixes: ['10.0.1.0/24'] } })
  const patched = await lab.arm.patch(id, { tags: { a: 'b' } })
  assert.deepEqual(patched.body.tags, { a: 'b' })
  assert.deepEqual(await names(), ['one', 'two'])
  await lab.arm.put(id, body())
  assert.deepEqual(await names(), ['one', 'two'])
  const again = await lab.arm.put(id, inline)
  assert.deepEqual(await names(), ['one'])
  assert.equal(again.body.properties.resourceGuid, first.body.properties.resourceGuid)
})

test('what is shown of a network can be put again and changes nothing, its etag included', async () => {
  const id = lab.id('virtualNetworks/round')
  const { body: shown } = await lab.arm.put(id, body([subnet('one', '10.0.0.0/24')]))
  const again = await lab.arm.put(id, shown)
  assert.equal(again.status, 200)
  assert.deepEqual(again.body, shown)
})

test('subnets may move into the room that others leave in the same request', async () => {
  const id = lab.id('virtualNetworks/moving')
  await lab.arm.put(id, body([subnet('a', '10.0.0.0/25'), subnet('b', '10.0.0.128/25')]))
  const moved = await lab.arm.put(
    id,
    body([subnet('b', '10.0.0.64/26'), subnet('a', '10.0.0.0/26'), subnet('c', '10.0.0.128/25')]),
  )
  assert.equal(moved.status, 200)
  assert.deepEqual(
    moved.body.properties.subnets.map(
      (each: { properties: { addressPrefix: string } }) => each.properties.addressPrefix,
    ),
    ['10.0.0.0/26', '10.0.0.64/26', '10.0.0.128/25'],
  )
})

test('two networks may have the same addresses', async () => {
  for (const name of ['twin1', 'twin2']) {
    const answer = await lab.arm.put(
      lab.id(`virtualNetworks/${name}`),
      body([subnet('default', '10.0.0.0/24')]),
    )
    assert.equal(answer.status, 201)
  }
})

for (const [what, wanted, code, message] of [
  [
    'overlapping subnets',
    body([subnet('one', '10.0.0.0/24'), subnet('two', '10.0.0.128/25')]),
    'NetcfgSubnetRangesOverlap',
    "Subnet 'two' is not valid because its IP address range overlaps with that of an existing subnet in virtual network 'bad'.",
  ],
  [
    'a subnet outside its network',
    body([subnet('one', '192.168.0.0/24')]),
    'NetcfgSubnetRangeOutsideVnet',
    "Subnet 'one' is not valid because its IP address range is outside the IP address range of virtual network 'bad'.",
  ],
  [
    'a subnet without room for anything',
    body([subnet('one', '10.0.0.0/30')]),
    'NetcfgInvalidSubnet',
    "Subnet 'one' is not valid in virtual network 'bad'.",
  ],
  [
    'a prefix that is none',
    body([], ['10.0.4.0/24--no-wait']),
    'InvalidAddressPrefixFormat',
    'Address prefix 10.0.4.0/24--no-wait of resource VNET is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24.',
  ],
  [
    'a prefix with host bits',
    body([subnet('one', '10.0.0.1/24')]),
    'InvalidCIDRNotation',
    'The address prefix 10.0.0.1/24 in resource VNET/subnets/one has an invalid CIDR notation. For the given prefix length, the address prefix should be 10.0.0.0/24.',
  ],
  [
    'two subnets of one name',
    body([subnet('one', '10.0.0.0/24'), subnet('ONE', '10.0.1.0/24')]),
    'InvalidRequestFormat',
    'Cannot parse the request.',
  ],
  [
    'encryption without a policy',
    {
      location: 'westeurope',
      properties: {
        addressSpace: { addressPrefixes: ['10.3.0.0/16'] },
        encryption: { enabled: true },
      },
    },
    'MustSpecifyBothEncryptionIntentAndEnforcementPolicy',
    'Cannot encrypt VirtualNetwork VNET unless both encryption intent (Enabled true or false) and enforcement policy (AllowUnencrypted or DropUnencrypted) are specified.',
  ],
] as const) {
  test(`400: refuses ${what}: ${code}`, async () => {
    const id = lab.id('virtualNetworks/bad')
    const { status, body: answer } = await lab.arm.put(id, wanted)
    assert.equal(status, 400)
    assert.equal(answer.error.code, code)
    assert.equal(answer.error.message.replaceAll(id, 'VNET'), message)
    assert.equal((await lab.arm.get(id)).status, 404)
  })
}

test('400: a subnet by itself must fit as well', async () => {
  const id = lab.id('virtualNetworks/alone')
  await lab.arm.put(id, body([subnet('one', '10.0.0.0/24')]))
  const put = async (properties: object) =>
    (await lab.arm.put(`${id}/subnets/two`, { properties })).body.error.code
  assert.equal(await put({ addressPrefix: '10.0.0.0/16' }), 'NetcfgSubnetRangesOverlap')
  assert.equal(await put({ addressPrefix: '10.1.0.0/24' }), 'NetcfgSubnetRangeOutsideVnet')
  assert.equal(await put({}), 'InvalidRequestContent')
})

test('400: an address space does not shrink below its subnets', async () => {
  const id = lab.id('virtualNetworks/shrinking')
  await lab.arm.put(id, body([subnet('one', '10.0.200.0/24')]))
  const { status, body: answer } = await lab.arm.put(id, body(undefined, ['10.0.0.0/24']))
  assert.equal(status, 400)
  assert.equal(answer.error.code, 'NetcfgSubnetRangeOutsideVnet')
})

test('400: a subnet in use is neither deleted, nor left out, nor moved', async () => {
  const subnetId = await lab.network('busy')
  const network = lab.id('virtualNetworks/busy')
  const nic = await lab.nic('busynic', subnetId)
  const configuration = nic.body.properties.ipConfigurations[0].id
  const inUse = {
    code: 'InUseSubnetCannotBeDeleted',
    message: `Subnet default is in use by ${configuration} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.`,
    details: [],
  }
  for (const refused of [
    await lab.arm.delete(subnetId),
    await lab.arm.delete(network),
    await lab.arm.put(network, body([])),
  ]) {
    assert.equal(refused.status, 400)
    assert.deepEqual(refused.body.error, inUse)
  }
  const moved = await lab.arm.put(subnetId, { properties: { addressPrefix: '10.0.9.0/24' } })
  assert.deepEqual(moved.body.error, {
    code: 'InUsePrefixCannotBeDeleted',
    message: 'IpPrefix 10.0.0.0/24 on Subnet default has active allocations and cannot be deleted.',
    details: [],
  })
  assert.deepEqual((await lab.arm.get(subnetId)).body.properties.ipConfigurations, [
    { id: configuration },
  ])
  await lab.arm.delete(nic.body.id)
  assert.equal((await lab.arm.delete(network)).status, 200)
  assert.equal((await lab.arm.get(subnetId)).status, 404)
})
