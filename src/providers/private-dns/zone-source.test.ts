import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf, parseResourceId } from '../../arm/resource-id.ts'
import type { Resource } from '../../arm/resource-type.ts'
import type { ChangeListener } from '../../storage/change-feed.ts'
import { INITIAL_SOA } from './soa-record-set.ts'
import { createZoneSource } from './zone-source.ts'

const GROUP = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network'
const ZONE = `${GROUP}/privateDnsZones/PrivateLink.azurecr.io`
const NETWORK = `${GROUP}/virtualNetworks/vnet1`
const OTHER = `${GROUP}/virtualNetworks/vnet2`

/** A store whose every change is published at once, as the engine does. */
function createStore() {
  const byKey = new Map<string, Resource>()
  const listeners: ChangeListener[] = []
  const publish = async (id: string, kind: 'written' | 'deleted') => {
    const type = parseResourceId(id)?.type ?? ''
    for (const listener of listeners) await listener([{ revision: 1, id, type, kind }])
  }
  return {
    async write(id: string, properties: Record<string, unknown>) {
      const { type, name } = parseResourceId(id) ?? { type: '', name: '' }
      const systemData = {} as Resource['systemData']
      byKey.set(keyOf(id), { id, type, name, top: {}, properties, etag: '1', systemData })
      await publish(id, 'written')
    },
    async erase(id: string) {
      byKey.delete(keyOf(id))
      await publish(id, 'deleted')
    },
    resources: {
      get: async <P>(id: string) => byKey.get(keyOf(id)) as Resource<P> | undefined,
      all: async <P>(type: string) =>
        [...byKey.values()].filter((each) => each.type === type) as unknown as Resource<P>[],
    },
    feed: {
      subscribe(listener: ChangeListener) {
        listeners.push(listener)
        return () => {}
      },
    },
  }
}

async function filledStore() {
  const store = createStore()
  await store.write(NETWORK, { resourceGuid: 'AABBCCDD-0000-0000-0000-000000000000' })
  await store.write(OTHER, { resourceGuid: '11223344-0000-0000-0000-000000000000' })
  await store.write(`${ZONE}/SOA/@`, INITIAL_SOA)
  await store.write(`${ZONE}/A/MyRegistry`, { ttl: 10, aRecords: [{ ipv4Address: '10.0.0.7' }] })
  await store.write(`${ZONE}/virtualNetworkLinks/link`, { virtualNetwork: { id: NETWORK } })
  return store
}

test('a linked zone shows in the place of its network and in no other', async () => {
  const store = await filledStore()
  const source = await createZoneSource(store)
  const [zone, ...more] = source.zonesVisibleFrom('net-aabbccdd')
  assert.deepEqual(more, [])
  assert.equal(zone?.name, 'privatelink.azurecr.io')
  assert.equal(zone?.linkId, `${ZONE}/virtualNetworkLinks/link`)
  assert.equal(zone?.soaTtl, 3600)
  assert.equal(zone?.soa.minimumTtl, 10)
  assert.equal(zone?.redirectsNxDomain, false)
  assert.deepEqual(
    zone?.records,
    new Map([['myregistry', [{ type: 'A', ttl: 10, values: ['10.0.0.7'] }]]]),
  )
  assert.deepEqual(source.zonesVisibleFrom('net-11223344'), [])
  assert.deepEqual(source.zonesVisibleFrom('internet'), [])
})

test('records, links and networks show as soon as they are written, and go when they are erased', async () => {
  const store = await filledStore()
  const source = await createZoneSource(store)
  const before = source.version
  const records = () => source.zonesVisibleFrom('net-aabbccdd')[0]?.records

  await store.write(`${ZONE}/TXT/MyRegistry`, { ttl: 60, txtRecords: [{ value: ['a "b"', 'c'] }] })
  assert.deepEqual(records()?.get('myregistry')?.[1], {
    type: 'TXT',
    ttl: 60,
    values: ['"a \\"b\\"" "c"'],
  })
  assert.ok(source.version > before)

  await store.erase(`${ZONE}/A/myregistry`)
  await store.erase(`${ZONE}/TXT/myregistry`)
  assert.deepEqual(records(), new Map())

  await store.write(`${ZONE}/virtualNetworkLinks/two`, {
    virtualNetwork: { id: OTHER.toUpperCase() },
    resolutionPolicy: 'NxDomainRedirect',
  })
  assert.equal(source.zonesVisibleFrom('net-11223344')[0]?.redirectsNxDomain, true)

  await store.erase(OTHER)
  assert.deepEqual(source.zonesVisibleFrom('net-11223344'), [])

  await store.erase(`${ZONE}/virtualNetworkLinks/link`)
  assert.deepEqual(source.zonesVisibleFrom('net-aabbccdd'), [])
})

test('a change of something else is no change of the zones', async () => {
  const store = await filledStore()
  const source = await createZoneSource(store)
  const before = source.version
  await store.write(`${GROUP}/privateEndpoints/pe`, {})
  assert.equal(source.version, before)
})

test('a network that is written after its link shows the zone', async () => {
  const store = createStore()
  await store.write(`${ZONE}/virtualNetworkLinks/link`, { virtualNetwork: { id: NETWORK } })
  await store.write(`${ZONE}/SOA/@`, INITIAL_SOA)
  const source = await createZoneSource(store)
  await store.write(NETWORK, { resourceGuid: 'aabbccdd-0000-0000-0000-000000000000' })
  assert.equal(source.zonesVisibleFrom('net-aabbccdd').length, 1)
})
