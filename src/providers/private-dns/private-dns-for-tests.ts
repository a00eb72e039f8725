import assert from 'node:assert/strict'
import { after, before, beforeEach } from 'node:test'
import { type Answer, createArmForTests, type TestArm } from '../../../test/support/arm.ts'
import { readOnly } from '../../arm/marks.ts'
import { defineResourceType, type Provider } from '../../arm/resource-type.ts'
import { Type } from '../../lib/schema.ts'
import { privateDnsProvider } from './provider.ts'

/** As much of a virtual network as links look at. */
const network = defineResourceType({
  type: 'Microsoft.Network/virtualNetworks',
  apiVersions: ['2024-01-01'],
  location: 'required',
  properties: Type.Object({ resourceGuid: Type.Optional(readOnly(Type.String())) }),
  etag: 'weak',
  provision: (next, context) => ({ resourceGuid: next.properties.resourceGuid ?? context.uuid() }),
})

/** Private DNS and networks to link to. */
export const provider: Provider = {
  ...privateDnsProvider,
  types: [...privateDnsProvider.types, network],
}

export const NAME = 'privatelink.azurecr.io'
export const IF_NEW = { 'if-none-match': '*' }

export const a = (...addresses: readonly string[]) => ({
  aRecords: addresses.map((ipv4Address) => ({ ipv4Address })),
})

/** A control plane for the tests of one file, and before each of them a new group with an empty zone. */
export interface PrivateDns {
  readonly arm: TestArm
  readonly group: string
  /** Id of the zone `NAME`. */
  readonly zone: string
  createZone(name?: string): Promise<string>
  createNetwork(name: string): Promise<string>
  link(name: string, networkId: string, properties?: object, zoneId?: string): Promise<Answer>
  /** PUTs a record set of the zone; the TTL is 3600 unless `properties` has one. */
  set(path: string, properties: object, headers?: Record<string, string>): Promise<Answer>
}

/** Call it once at the top of a test file. */
export function usePrivateDns(): PrivateDns {
  let arm: TestArm
  let group: string
  let zone: string
  before(async () => {
    arm = await createArmForTests({ providers: [provider] })
  })
  after(() => arm.close())
  beforeEach(async () => {
    group = await arm.group()
    zone = await dns.createZone()
  })
  const dns: PrivateDns = {
    get arm() {
      return arm
    },
    get group() {
      return group
    },
    get zone() {
      return zone
    },
    async createZone(name = NAME) {
      const id = `${group}/providers/Microsoft.Network/privateDnsZones/${name}`
      const answer = await arm.put(id, { location: 'global' }, IF_NEW)
      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      return id
    },
    async createNetwork(name) {
      const id = `${group}/providers/Microsoft.Network/virtualNetworks/${name}`
      assert.equal((await arm.put(id, { location: 'westeurope' })).status, 201)
      return id
    },
    link: (name, networkId, properties = {}, zoneId = zone) =>
      arm.put(`${zoneId}/virtualNetworkLinks/${name}`, {
        location: 'global',
        properties: {
          virtualNetwork: { id: networkId },
          registrationEnabled: false,
          ...properties,
        },
      }),
    set: (path, properties, headers = {}) =>
      arm.put(`${zone}/${path}`, { properties: { ttl: 3600, ...properties } }, headers),
  }
  return dns
}
