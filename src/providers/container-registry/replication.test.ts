import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'

test('a replica appears together with the home region, and the home region goes with it', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const replications = `${id('myregistry')}/replications`
  assert.deepEqual((await arm.get(replications)).body, { value: [] })

  const { status, body } = await arm.put(`${replications}/eastus`, { location: 'eastus' })
  assert.equal(status, 201)
  assert.equal(body.properties.provisioningState, 'Succeeded')
  assert.equal(body.properties.status.displayStatus, 'Ready')
  assert.equal(body.properties.regionEndpointEnabled, true)
  const names = async () =>
    (await arm.get(replications)).body.value.map((each: { name: string }) => each.name)
  assert.deepEqual(await names(), ['eastus', 'westeurope'])
  assert.equal((await arm.get(`${replications}/westeurope`)).body.location, 'westeurope')

  assert.equal((await arm.delete(`${replications}/westeurope`)).status, 400)
  assert.equal((await arm.delete(`${replications}/eastus`)).status, 200)
  assert.deepEqual(await names(), [])
})

test('a PATCH switches the region endpoint, and a PUT again changes nothing else', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const replica = `${id('myregistry')}/replications/eastus`
  await arm.put(replica, { location: 'eastus' })
  const { status, body } = await arm.patch(replica, {
    properties: { regionEndpointEnabled: false },
  })
  assert.equal(status, 200)
  assert.equal(body.properties.regionEndpointEnabled, false)
  assert.equal((await arm.put(replica, { location: 'eastus' })).status, 200)
})

for (const [what, sku, name, location, status, message] of [
  [
    'the home region',
    'Premium',
    'westeurope',
    'westeurope',
    400,
    /is in the location 'westeurope' itself/,
  ],
  ['the name of the home region', 'Premium', 'westeurope', 'eastus', 409, /home region/],
  [
    'a replica below Premium',
    'Standard',
    'eastus',
    'eastus',
    400,
    /not supported for the SKU Standard/,
  ],
] as const) {
  test(`${status}: ${what}`, async (t) => {
    const { arm, id, createRegistry } = await openRegistries(t)
    await createRegistry('myregistry', {}, sku)
    const answer = await arm.put(`${id('myregistry')}/replications/${name}`, { location })
    assert.equal(answer.status, status)
    assert.match(answer.body.error.message, message)
  })
}

test('409: a second replica in one region', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  await arm.put(`${id('myregistry')}/replications/eastus`, { location: 'eastus' })
  const { status } = await arm.put(`${id('myregistry')}/replications/second`, {
    location: 'East US',
  })
  assert.equal(status, 409)
})

test('404: in the words of the registry provider', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const { status, body } = await arm.get(`${id('myregistry')}/replications/eastus`)
  assert.equal(status, 404)
  assert.deepEqual(body.error, {
    code: 'ResourceNotFound',
    message: 'The resource eastus could not be found.',
  })
})
