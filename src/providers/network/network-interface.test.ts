import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createNetworkLab, type NetworkLab } from '../../../test/support/private-network.ts'

let lab: NetworkLab
before(async () => {
  lab = await createNetworkLab()
})
after(() => lab.arm.close())

const addressOf = (answer: {
  body: { properties: { ipConfigurations: { properties: { privateIPAddress: string } }[] } }
}) => answer.body.properties.ipConfigurations.map((each) => each.properties.privateIPAddress)

const withStatic = (subnet: string, privateIPAddress?: string) => ({
  location: 'westeurope',
  properties: {
    ipConfigurations: [
      {
        name: 'ipconfig1',
        properties: {
          subnet: { id: subnet },
          privateIPAllocationMethod: 'Static',
          ...(privateIPAddress && { privateIPAddress }),
        },
      },
    ],
  },
})

test('an interface takes the lowest free address and shows itself as the service does', async () => {
  const subnet = await lab.network('first')
  const id = lab.id('networkInterfaces/nic1')
  const { status, body } = await lab.nic('nic1', subnet)
  assert.equal(status, 201)
  assert.equal(body.kind, 'Regular')
  const { etag, resourceGuid, ...properties } = { ...body.properties, etag: body.etag }
  assert.match(resourceGuid, /^[\da-f-]{36}$/)
  assert.deepEqual(properties, {
    provisioningState: 'Succeeded',
    ipConfigurations: [
      {
        name: 'ipconfig1',
        id: `${id}/ipConfigurations/ipconfig1`,
        etag,
        type: 'Microsoft.Network/networkInterfaces/ipConfigurations',
        properties: {
          provisioningState: 'Succeeded',
          privateIPAddress: '10.0.0.4',
          privateIPAllocationMethod: 'Dynamic',
          privateIPAddressVersion: 'IPv4',
          primary: true,
          subnet: { id: subnet },
        },
      },
    ],
    dnsSettings: { dnsServers: [], appliedDnsServers: [] },
    enableIPForwarding: false,
    enableAcceleratedNetworking: false,
    vnetEncryptionSupported: false,
    disableTcpStateTracking: false,
    hostedWorkloads: [],
    tapConfigurations: [],
    nicType: 'Standard',
    auxiliaryMode: 'None',
  })
})

test('an address is kept by updates, and free again after its interface went', async () => {
  const subnet = await lab.network('kept')
  assert.deepEqual(addressOf(await lab.nic('kept1', subnet)), ['10.0.0.4'])
  const second = await lab.nic('kept2', subnet)
  assert.deepEqual(addressOf(second), ['10.0.0.5'])
  await lab.arm.delete(lab.id('networkInterfaces/kept1'))
  assert.deepEqual(addressOf(await lab.arm.put(second.body.id, second.body)), ['10.0.0.5'])
  assert.deepEqual(addressOf(await lab.nic('kept3', subnet)), ['10.0.0.4'])
})

test('one interface may have several addresses, the primary one first', async () => {
  const subnet = { id: await lab.network('several') }
  const answer = await lab.arm.put(lab.id('networkInterfaces/several'), {
    location: 'westeurope',
    properties: {
      ipConfigurations: [
        { name: 'a', properties: { subnet } },
        {
          name: 'b',
          properties: {
            subnet,
            privateIPAllocationMethod: 'Static',
            privateIPAddress: '10.0.0.4',
            primary: true,
          },
        },
      ],
    },
  })
  assert.deepEqual(addressOf(answer), ['10.0.0.4', '10.0.0.5'])
})

test('400: a full subnet has no address left', async () => {
  const subnet = await lab.network('tiny', '10.0.0.0/29')
  for (const name of ['tiny1', 'tiny2', 'tiny3']) {
    assert.equal((await lab.nic(name, subnet)).status, 201)
  }
  const { status, body } = await lab.nic('tiny4', subnet)
  assert.equal(status, 400)
  assert.deepEqual(body.error, {
    code: 'SubnetIsFull',
    message:
      'Subnet default with address prefix 10.0.0.0/29 does not have enough capacity for 1 IP addresses.',
    details: [],
  })
})

test('400: a chosen address must be in the subnet, usable and free', async () => {
  const subnet = await lab.network('chosen')
  const holder = await lab.nic('holder', subnet)
  const id = lab.id('networkInterfaces/chooser')
  const refusal = async (address?: string) =>
    (await lab.arm.put(id, withStatic(subnet, address))).body.error
  for (const [address, code, message] of [
    [
      '10.0.1.4',
      'PrivateIPAddressNotInSubnet',
      'Private static IP address 10.0.1.4 does not belong to the range of subnet prefix 10.0.0.0/24.',
    ],
    [
      '10.0.0.1',
      'PrivateIPAddressInReservedRange',
      'Private static IP address 10.0.0.1 falls within reserved IP range of subnet prefix 10.0.0.0/24.',
    ],
    [
      '10.0.0.4',
      'PrivateIPAddressIsAllocated',
      `IP configuration ${id}/ipConfigurations/ipconfig1 is using the private IP address 10.0.0.4 which is already allocated to resource ${holder.body.id}.`,
    ],
    [
      undefined,
      'PrivateIPAddressMissing',
      `Private IP address is required when privateIPAllocationMethod is Static in IP configuration ${id}/ipConfigurations/ipconfig1.`,
    ],
  ] as const) {
    assert.deepEqual(await refusal(address), { code, message, details: [] })
  }
  assert.equal((await refusal('10.0.0.300')).code, 'InvalidRequestContent')
  assert.deepEqual(addressOf(await lab.arm.put(id, withStatic(subnet, '10.0.0.77'))), ['10.0.0.77'])
})

test('400: the subnet must exist, in the region of the interface', async () => {
  const subnet = await lab.network('regional')
  const id = lab.id('networkInterfaces/lost')
  const put = (subnetId: string, location = 'westeurope') =>
    lab.arm.put(id, {
      location,
      properties: { ipConfigurations: [{ name: 'a', properties: { subnet: { id: subnetId } } }] },
    })
  for (const [answer, named] of [
    [await put(`${subnet}x`), `${subnet}x`],
    [await put(subnet, 'eastus'), subnet],
  ] as const) {
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.body.error, {
      code: 'InvalidResourceReference',
      message: `Resource ${named} referenced by resource ${id} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
      details: [],
    })
  }
  assert.deepEqual((await put('default')).body.error, {
    code: 'LinkedInvalidPropertyId',
    message:
      "Property id 'default' at path 'properties.ipConfigurations[0].properties.subnet.id' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
  })
})
