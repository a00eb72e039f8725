import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createContainerRegistryProvider } from '../../src/providers/container-registry/provider.ts'
import { createNetworkProvider } from '../../src/providers/network/provider.ts'
import { privateDnsProvider } from '../../src/providers/private-dns/provider.ts'
import { createArmForTests, type TestArm } from '../support/arm.ts'

let arm: TestArm
before(async () => {
  arm = await createArmForTests({
    providers: [
      createNetworkProvider({ heldAddresses: () => [] }),
      privateDnsProvider,
      createContainerRegistryProvider({
        images: { copy: () => Promise.reject(new Error('no image is copied here')) },
        content: { storedBytes: async () => 0, replicaState: async () => undefined },
        cached: { hasRepository: () => false },
        secrets: { valueOf: async () => undefined },
        webhooks: { ping: async () => '', events: async () => [] },
      }),
    ],
  })
})
after(() => arm.close())

const LOCATION = 'westeurope'

async function put(path: string, body: unknown) {
  const answer = await arm.put(path, body)
  assert.ok(answer.status < 300, JSON.stringify(answer.body))
  return answer.body.id as string
}

/** The article's set-up; the registry may lie in a group of its own. */
async function setUp(group: string, registryGroup: string, name: string) {
  const network = `${group}/providers/Microsoft.Network`
  const vnet = await put(`${network}/virtualNetworks/net`, {
    location: LOCATION,
    properties: {
      addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
      subnets: [{ name: 'inner', properties: { addressPrefix: '10.0.0.0/24' } }],
    },
  })
  const registry = await put(
    `${registryGroup}/providers/Microsoft.ContainerRegistry/registries/${name}`,
    { location: LOCATION, sku: { name: 'Premium' }, properties: {} },
  )
  const zone = await put(`${network}/privateDnsZones/privatelink.azurecr.io`, {
    location: 'global',
  })
  await put(`${zone}/virtualNetworkLinks/link`, {
    location: 'global',
    properties: { virtualNetwork: { id: vnet }, registrationEnabled: false },
  })
  const endpoint = await put(`${network}/privateEndpoints/endpoint`, {
    location: LOCATION,
    properties: {
      subnet: { id: `${vnet}/subnets/inner` },
      privateLinkServiceConnections: [
        {
          name: 'connection',
          properties: { privateLinkServiceId: registry, groupIds: ['registry'] },
        },
      ],
    },
  })
  await put(`${endpoint}/privateDnsZoneGroups/default`, {
    properties: {
      privateDnsZoneConfigs: [{ name: 'config', properties: { privateDnsZoneId: zone } }],
    },
  })
  return { vnet, registry, zone, endpoint }
}

test('a group with a registry, a network, an endpoint and a zone goes as a whole', async () => {
  const group = await arm.group()
  const { registry, zone } = await setUp(group, group, 'wholegroup')
  assert.equal((await arm.get(`${zone}/A/wholegroup`)).body.properties.ttl, 10)
  assert.equal((await arm.list(`${registry}/privateEndpointConnections`)).length, 1)
  assert.equal((await arm.list(`${group}/providers/Microsoft.Network/networkInterfaces`)).length, 1)
  const end = await arm.deleteAndWait(group)
  assert.equal(end.status, 200, JSON.stringify(end.body))
  const left = await arm.database.kysely
    .selectFrom('resources')
    .select('id')
    .where('id', 'like', `${group}%`)
    .execute()
  assert.deepEqual(left, [])
})

test('an endpoint outlives the group of its registry, and shows that it is cut off', async () => {
  const [group, registryGroup] = [await arm.group(), await arm.group()]
  const { endpoint } = await setUp(group, registryGroup, 'lonelyendpoint')
  assert.equal((await arm.deleteAndWait(registryGroup)).status, 200)
  const { body } = await arm.get(endpoint)
  const [connection] = body.properties.privateLinkServiceConnections
  assert.equal(
    connection.properties.privateLinkServiceConnectionState.status,
    'Disconnected',
    JSON.stringify(body),
  )
  assert.equal((await arm.deleteAndWait(group)).status, 200)
})

test('a registry outlives the group of its endpoint, without the connection', async () => {
  const [group, registryGroup] = [await arm.group(), await arm.group()]
  const { registry } = await setUp(group, registryGroup, 'lonelyregistry')
  assert.equal((await arm.deleteAndWait(group)).status, 200)
  assert.deepEqual(await arm.list(`${registry}/privateEndpointConnections`), [])
  assert.deepEqual((await arm.get(registry)).body.properties.privateEndpointConnections, [])
})
