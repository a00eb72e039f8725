import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REGIONS } from '../lib/regions.ts'
import { registryFacts } from './front-for-tests.ts'
import { CLOUD_ADDRESS, publicAddressesInUse, publicAddressOf } from './public-addresses.ts'
import { createPublicNames } from './public-names.ts'

const namesOf = (...registries: ReturnType<typeof registryFacts>[]) =>
  createPublicNames({
    directory: { list: () => registries, version: 1 },
    registryDomain: 'azurecr.io',
  })

/** The names, TTLs and the address that a client meets on the way. */
function follow(names: ReturnType<typeof namesOf>, name: string): readonly string[] {
  const [record] = names.lookup(name) ?? []
  if (!record) return []
  if (record.type === 'A') return [`${record.ttl} ${record.address}`]
  return [`${record.ttl} ${record.target}`, ...follow(names, record.target)]
}

test('a registry with a private endpoint goes by its private link name', () => {
  const names = namesOf(registryFacts('shop', { isPrivateLinked: true }))
  assert.deepEqual(follow(names, 'shop.azurecr.io'), [
    '3600 shop.privatelink.azurecr.io',
    '3600 s1.westeurope.azcr.io',
    '300 s1-westeurope-reg.trafficmanager.net',
    '300 s1.westeurope.cloudapp.azure.com',
    '10 20.45.122.144',
  ])
  assert.equal(
    follow(names, 'shop.westeurope.data.azurecr.io')[0],
    '3600 shop.westeurope.data.privatelink.azurecr.io',
  )
})

test('without an endpoint the private link name is neither passed nor there', () => {
  const names = namesOf(registryFacts('shop'))
  assert.equal(follow(names, 'shop.azurecr.io')[0], '3600 s1.westeurope.azcr.io')
  assert.equal(names.lookup('shop.privatelink.azurecr.io'), undefined)
})

test('a data endpoint is in its own region', () => {
  const host = 'shop.eastus.data.azurecr.io'
  const names = namesOf(registryFacts('shop', { dataEndpoints: [{ region: 'eastus', host }] }))
  assert.equal(follow(names, host).at(-1), `10 ${publicAddressOf('eastus')}`)
})

test('a name between two others exists without records; an unknown one does not exist', () => {
  const names = namesOf(registryFacts('shop', { isPrivateLinked: true }))
  for (const name of ['azurecr.io', 'privatelink.azurecr.io', 'data.azurecr.io', 'azure.com']) {
    assert.deepEqual(names.lookup(name), [], name)
  }
  assert.equal(names.lookup('nobody.azurecr.io'), undefined)
  assert.equal(names.lookup('portal.azure.com'), undefined)
})

test('the cloud itself is at one address, each region at another', () => {
  assert.deepEqual(follow(namesOf(), 'management.azure.com'), [`300 ${CLOUD_ADDRESS}`])
  const fronts = REGIONS.map(({ name }) => publicAddressOf(name))
  assert.equal(new Set([CLOUD_ADDRESS, ...fronts]).size, REGIONS.length + 1)
  assert.deepEqual(publicAddressesInUse({ list: () => [registryFacts('shop')] }), [
    CLOUD_ADDRESS,
    '20.45.122.144',
  ])
})
