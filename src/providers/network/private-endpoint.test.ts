import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createNetworkLab, type NetworkLab } from '../../../test/support/private-network.ts'

let lab: NetworkLab
before(async () => {
  lab = await createNetworkLab()
})
after(() => lab.arm.close())

const stateOf = async (endpoint: string) => {
  const { properties } = (await lab.arm.get(endpoint)).body
  const [connection] = [
    ...properties.privateLinkServiceConnections,
    ...properties.manualPrivateLinkServiceConnections,
  ]
  return connection.properties.privateLinkServiceConnectionState
}

const decide = (connection: string, status: string, description: string) =>
  lab.arm.put(connection, {
    properties: { privateLinkServiceConnectionState: { status, description } },
  })

const manual = (target: string, requestMessage = 'please') => ({
  privateLinkServiceConnections: [],
  manualPrivateLinkServiceConnections: [
    {
      name: 'link',
      properties: { privateLinkServiceId: target, groupIds: ['store'], requestMessage },
    },
  ],
})

test('an endpoint, its interface and its connection show themselves as the service does', async () => {
  const subnet = await lab.network('shown')
  const store = await lab.store('shown')
  const { body } = await lab.endpoint('shown', subnet, store)
  const id = lab.id('privateEndpoints/shown')
  const { resourceGuid, customDnsConfigs, networkInterfaces, ...properties } = body.properties
  assert.equal(customDnsConfigs.length, 2)
  assert.deepEqual(properties, {
    provisioningState: 'Succeeded',
    privateLinkServiceConnections: [
      {
        name: 'link',
        id: `${id}/privateLinkServiceConnections/link`,
        etag: body.etag,
        type: 'Microsoft.Network/privateEndpoints/privateLinkServiceConnections',
        properties: {
          provisioningState: 'Succeeded',
          privateLinkServiceId: store,
          groupIds: ['store'],
          privateLinkServiceConnectionState: {
            status: 'Approved',
            description: 'Auto-Approved',
            actionsRequired: 'None',
          },
        },
      },
    ],
    manualPrivateLinkServiceConnections: [],
    customNetworkInterfaceName: '',
    subnet: { id: subnet },
    ipConfigurations: [],
  })
  const nic = (await lab.arm.get(networkInterfaces[0].id)).body
  assert.match(nic.name, /^shown\.nic\.[\da-f-]{36}$/)
  assert.deepEqual(
    [nic.managedBy, nic.kind, nic.properties.privateEndpoint, nic.properties.macAddress],
    [id, 'Regular', { id }, ''],
  )
  const [first] = nic.properties.ipConfigurations
  assert.match(first.name, /^privateEndpointIpConfig\.[\da-f-]{36}$/)
  assert.deepEqual(first.properties, {
    provisioningState: 'Succeeded',
    privateIPAddress: '10.0.0.4',
    privateIPAllocationMethod: 'Dynamic',
    privateIPAddressVersion: 'IPv4',
    subnet: { id: subnet },
    primary: true,
    privateLinkConnectionProperties: {
      groupId: 'store',
      requiredMemberName: 'store_data_westeurope',
      fqdns: ['shown.westeurope.data.contoso.io'],
    },
  })
  const [connection] = await lab.arm.list(`${store}/privateEndpointConnections`)
  assert.match(connection.name, /^shown\.[\da-f]{32}$/)
  assert.deepEqual(connection.properties.privateEndpoint, { id })
  assert.deepEqual((await lab.arm.get(subnet)).body.properties.privateEndpoints, [{ id }])
})

test('what is shown of an endpoint can be put again and moves nothing', async () => {
  const subnet = await lab.network('again')
  const created = await lab.endpoint('again', subnet, await lab.store('again'))
  const again = await lab.arm.put(created.body.id, { ...created.body, tags: { a: 'b' } })
  assert.equal(again.status, 200)
  assert.deepEqual(again.body.tags, { a: 'b' })
  assert.deepEqual(again.body.properties.customDnsConfigs, created.body.properties.customDnsConfigs)
  const upper = lab.endpointBody(subnet.toUpperCase(), (await lab.store('again')).toUpperCase())
  const shouted = await lab.arm.put(created.body.id, upper)
  assert.equal(shouted.body.properties.subnet.id, subnet)
})

test('a manual connection is pending until it is approved, and empty again when it is rejected', async () => {
  const subnet = await lab.network('manual')
  const store = await lab.store('manual')
  const endpoint = await lab.endpoint('manual', subnet, store, manual(store))
  const { id } = endpoint.body
  assert.deepEqual(await stateOf(id), {
    status: 'Pending',
    description: '',
    actionsRequired: 'None',
  })
  assert.deepEqual(endpoint.body.properties.customDnsConfigs, [])
  assert.deepEqual(await lab.addresses(endpoint), [
    ['', '10.0.0.4'],
    ['', '10.0.0.5'],
  ])
  const connection = await lab.connection(store)
  const pending = (await lab.arm.get(connection)).body.properties.privateLinkServiceConnectionState
  assert.deepEqual(pending, { status: 'Pending', description: 'please' })

  await decide(connection, 'Approved', 'welcome')
  assert.deepEqual(await stateOf(id), {
    status: 'Approved',
    description: 'welcome',
    actionsRequired: 'None',
  })
  assert.deepEqual(await lab.addresses(endpoint), [
    ['store_data_westeurope', '10.0.0.4'],
    ['store', '10.0.0.5'],
  ])
  assert.equal((await lab.arm.get(id)).body.properties.customDnsConfigs.length, 2)

  await decide(connection, 'Rejected', 'no more')
  assert.equal((await stateOf(id)).status, 'Rejected')
  assert.deepEqual((await lab.arm.get(id)).body.properties.customDnsConfigs, [])
  assert.deepEqual(await lab.addresses(endpoint), [
    ['', '10.0.0.4'],
    ['', '10.0.0.5'],
  ])
})

test('an endpoint whose connection or target went is disconnected for good', async () => {
  const disconnected = {
    status: 'Disconnected',
    description: 'Deleted state',
    actionsRequired: 'None',
  }
  const subnet = await lab.network('gone')
  const stores = [await lab.store('gone1'), await lab.store('gone2')] as const
  const first = (await lab.endpoint('gone1', subnet, stores[0])).body.id
  const second = (await lab.endpoint('gone2', subnet, stores[1])).body.id
  await lab.arm.delete(await lab.connection(stores[0]))
  await lab.arm.delete(stores[1])
  assert.deepEqual(await stateOf(first), disconnected)
  assert.deepEqual(await stateOf(second), disconnected)
  await lab.store('gone2')
  assert.deepEqual(await stateOf(second), disconnected)
  const update = await lab.endpoint('gone2', subnet, stores[1])
  assert.equal(update.body.error.code, 'PrivateEndpointCannotBeUpdatedInDisconnectedState')
  assert.equal((await lab.arm.delete(second)).status, 200)
})

test('deleting an endpoint takes its interface and its connection along', async () => {
  const subnet = await lab.network('deleted')
  const store = await lab.store('deleted')
  const endpoint = await lab.endpoint('deleted', subnet, store)
  assert.equal((await lab.arm.delete(endpoint.body.id)).status, 200)
  assert.equal((await lab.arm.get(endpoint.body.properties.networkInterfaces[0].id)).status, 404)
  assert.deepEqual(await lab.arm.list(`${store}/privateEndpointConnections`), [])
  assert.equal((await lab.arm.delete(lab.id('virtualNetworks/deleted'))).status, 200)
})

test('400: neither subnet nor connection of an endpoint can be changed', async () => {
  const subnet = await lab.network('fixed')
  const other = await lab.network('fixed2')
  const store = await lab.store('fixed')
  await lab.endpoint('fixed', subnet, store)
  const codeOf = async (where: string, target: string, more?: object) =>
    (await lab.endpoint('fixed', where, target, more)).body.error.code
  assert.equal(await codeOf(other, store), 'CannotChangeSubnetOnExistingPrivateEndpoint')
  const changed = 'CannotChangePrivateLinkConnectionOnPrivateEndpoint'
  assert.equal(await codeOf(subnet, await lab.store('fixed2')), changed)
  assert.equal(await codeOf(subnet, store, manual(store)), changed)
})

test('400: the interface of an endpoint is not for users, its tags apart', async () => {
  const endpoint = await lab.endpoint('owned', await lab.network('owned'), await lab.store('owned'))
  const { id } = endpoint.body.properties.networkInterfaces[0]
  const nic = (await lab.arm.get(id)).body
  const put = await lab.arm.put(id, nic)
  assert.deepEqual(put.body.error, {
    code: 'CannotModifyNicAttachedToPrivateEndpoint',
    message: `Network interface ${id} is linked to a private endpoint ${endpoint.body.id}. It can not be modified by user.`,
    details: [],
  })
  const gone = await lab.arm.delete(id)
  assert.deepEqual(gone.body.error, {
    code: 'NicInUseWithPrivateEndpoint',
    message: `Network interface ${id} cannot be deleted because it is currently in use with an private endpoint (${endpoint.body.id}).`,
    details: [],
  })
  assert.deepEqual((await lab.arm.patch(id, { tags: { a: 'b' } })).body.tags, { a: 'b' })
})

test('400: the request must name a subnet, one target and one of its groups', async () => {
  const subnet = await lab.network('asking')
  const store = await lab.store('asking')
  const closed = await lab.store('closed')
  await lab.arm.put(closed, { location: 'westeurope', properties: { takesEndpoints: false } })
  const link = (privateLinkServiceId: string, groupIds: readonly string[] = ['store']) => ({
    privateLinkServiceConnections: [
      { name: 'link', properties: { privateLinkServiceId, groupIds } },
    ],
  })
  for (const [where, more, status, code] of [
    [`${subnet}x`, link(store), 400, 'InvalidResourceReference'],
    ['here', link(store), 400, 'LinkedInvalidPropertyId'],
    [subnet, link('registry'), 400, 'LinkedInvalidPropertyId'],
    [subnet, link(`${store}x`), 404, 'ResourceNotFound'],
    [subnet, link(subnet), 400, 'InvalidPrivateLinkServiceId'],
    [subnet, link(store, []), 400, 'MissingParameterOnPrivateLinkServiceConnection'],
    [subnet, link(store, ['a', 'b']), 400, 'OnlyOneGroupIdPermitted'],
    [subnet, link(store, ['shelf']), 400, 'InvalidValuesForRequestParameters'],
    [subnet, { privateLinkServiceConnections: [] }, 400, 'InvalidRequestContent'],
    [subnet, { customNetworkInterfaceName: 'a/b/c' }, 400, 'InvalidRequestContent'],
    [subnet, link(closed), 400, 'NoEndpoints'],
  ] as const) {
    const answer = await lab.endpoint('asking', where, store, more)
    assert.deepEqual([answer.status, answer.body.error?.code], [status, code])
  }
  assert.equal((await lab.arm.get(lab.id('privateEndpoints/asking'))).status, 404)
})

test('403: who may not approve cannot connect at once, but may ask', async (t) => {
  const rightless = await createNetworkLab({
    authorizer: { isAllowed: (_, action) => !action.endsWith('Approval/action') },
  })
  t.after(() => rightless.arm.close())
  const subnet = await rightless.network('guest')
  const store = await rightless.store('guest')
  const refused = await rightless.endpoint('guest', subnet, store)
  assert.equal(refused.status, 403)
  assert.equal(refused.body.error.code, 'LinkedAuthorizationFailed')
  assert.match(
    refused.body.error.message,
    /^The client '[\da-f-]{36}' with object id '[\da-f-]{36}' has permission to perform action 'Microsoft.Network\/privateEndpoints\/write' on scope '.*guest'; however, it does not have permission to perform action\(s\) 'Contoso.Storage\/stores\/privateEndpointConnectionsApproval\/action' on the linked scope\(s\) '.*guest' \(respectively\) or the linked scope\(s\) are invalid\.$/,
  )
  const asked = await rightless.endpoint('guest', subnet, store, manual(store))
  assert.equal(asked.status, 201)
})

test('deleting the group deletes endpoints, interfaces and networks in whatever order it takes', async (t) => {
  const other = await createNetworkLab()
  t.after(() => other.arm.close())
  const subnet = await other.network('all')
  await other.nic('all', subnet)
  await other.endpoint('all', subnet, await other.store('all'))
  const answer = await other.arm.deleteAndWait('resourceGroups/lab')
  assert.equal(answer.status, 200)
  assert.equal((await other.arm.get('resourceGroups/lab')).status, 404)
})
