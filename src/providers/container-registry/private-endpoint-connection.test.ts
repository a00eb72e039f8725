import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'

const decision = (status: string, description?: string) => ({
  properties: {
    privateEndpoint: { id: '/ignored' },
    privateLinkServiceConnectionState: {
      status,
      ...(description !== undefined && { description }),
    },
    provisioningState: 'Deleting',
  },
})

test('an endpoint is pending, approved, rejected, approved again and disconnected', async (t) => {
  const { arm, id, createRegistry, createEndpoint } = await openRegistries(t)
  await createRegistry('myregistry')
  const endpoint = await createEndpoint('pe1', id('myregistry'), { isManual: true })
  const connection = `${id('myregistry')}/privateEndpointConnections/pe1.1`
  const state = async () =>
    (await arm.get(connection)).body.properties.privateLinkServiceConnectionState
  const seen = async () => (await arm.get(endpoint)).body.properties.status

  assert.deepEqual(await state(), { status: 'Pending' })
  const approved = await arm.put(connection, decision('Approved', 'ok'))
  assert.ok([200, 201].includes(approved.status))
  assert.deepEqual(approved.body.properties.privateEndpoint, { id: endpoint })
  assert.deepEqual(await state(), { status: 'Approved', description: 'ok' })
  assert.equal(await seen(), 'Approved')
  await arm.put(connection, decision('Approved'))
  assert.deepEqual(await state(), { status: 'Approved', description: 'ok' })
  await arm.put(connection, decision('Rejected'))
  assert.deepEqual(await state(), { status: 'Rejected' })
  assert.equal(await seen(), 'Rejected')
  await arm.put(connection, decision('Approved'))
  assert.equal(await seen(), 'Approved')
  assert.equal((await arm.delete(connection)).status, 200)
  assert.equal(await seen(), 'Disconnected')
  assert.deepEqual((await arm.get(`${id('myregistry')}/privateEndpointConnections`)).body.value, [])
})

test('the registry shows its connections', async (t) => {
  const { arm, id, createRegistry, createEndpoint } = await openRegistries(t)
  await createRegistry('myregistry')
  const endpoint = await createEndpoint('pe1', id('myregistry'))
  const { body } = await arm.get(id('myregistry'))
  assert.deepEqual(body.properties.privateEndpointConnections, [
    {
      type: 'Microsoft.ContainerRegistry/registries/privateEndpointConnections',
      id: `${id('myregistry')}/privateEndpointConnections/pe1.1`,
      name: 'pe1.1',
      properties: {
        privateEndpoint: { id: endpoint },
        privateLinkServiceConnectionState: { status: 'Approved', description: 'Auto-Approved' },
        provisioningState: 'Succeeded',
      },
    },
  ])
})

test('404: a connection is made by its endpoint only', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const answer = await arm.put(
    `${id('myregistry')}/privateEndpointConnections/own`,
    decision('Approved'),
  )
  assert.equal(answer.status, 404)
  assert.equal(answer.body.error.message, 'The resource own could not be found.')
})

test('400: a decision that is none', async (t) => {
  const { arm, id, createRegistry, createEndpoint } = await openRegistries(t)
  await createRegistry('myregistry')
  await createEndpoint('pe1', id('myregistry'))
  const connection = `${id('myregistry')}/privateEndpointConnections/pe1.1`
  assert.equal((await arm.put(connection, decision('Disconnected'))).status, 400)
  assert.equal((await arm.put(connection, decision('Perhaps'))).status, 400)
})

test('an endpoint has a member for each region and the login server last, also after a replica came', async (t) => {
  const { arm, id, createRegistry, createEndpoint } = await openRegistries(t)
  await createRegistry('myregistry')
  const endpoint = await createEndpoint('pe1', id('myregistry'))
  const members = async () => (await arm.get(endpoint)).body.properties.members
  assert.deepEqual(await members(), [
    'myregistry.westeurope.data.azurecr.io',
    'myregistry.azurecr.io',
  ])
  await arm.put(`${id('myregistry')}/replications/eastus`, { location: 'eastus' })
  assert.deepEqual(await members(), [
    'myregistry.eastus.data.azurecr.io',
    'myregistry.westeurope.data.azurecr.io',
    'myregistry.azurecr.io',
  ])
  await arm.delete(`${id('myregistry')}/replications/eastus`)
  assert.equal((await members()).length, 2)
})

test('private link resources name the group and its members', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const resource = {
    type: 'Microsoft.ContainerRegistry/registries/privateLinkResources',
    id: `${id('myregistry')}/privateLinkResources/registry`,
    name: 'registry',
    properties: {
      groupId: 'registry',
      requiredMembers: ['registry_data_westeurope', 'registry'],
      requiredZoneNames: ['privatelink.azurecr.io'],
    },
  }
  const list = await arm.get(`${id('myregistry')}/privateLinkResources`)
  assert.deepEqual(list.body, { value: [resource] })
  const one = await arm.get(`${id('myregistry')}/privateLinkResources/registry`)
  assert.deepEqual(one.body, resource)
  assert.equal((await arm.get(`${id('myregistry')}/privateLinkResources/blob`)).status, 404)
})

test('400: an endpoint below Premium', async (t) => {
  const { id, createRegistry, tryEndpoint } = await openRegistries(t)
  await createRegistry('myregistry', {}, 'Standard')
  const { status, body } = await tryEndpoint('pe1', id('myregistry'))
  assert.equal(status, 400)
  assert.match(body.error.message, /not supported for the SKU Standard/)
})

test('400: one endpoint more than a registry may have', async (t) => {
  const { arm, id, createRegistry, createEndpoint, tryEndpoint } = await openRegistries(t, {
    privateEndpointsPerRegistry: 1,
  })
  await createRegistry('myregistry')
  const first = await createEndpoint('pe1', id('myregistry'))
  const { status, body } = await tryEndpoint('pe2', id('myregistry'))
  assert.equal(status, 400)
  assert.equal(body.error.code, 'QuotaExceeded')
  assert.equal((await arm.get(first)).body.properties.status, 'Approved')
})
