import { Type } from 'typebox'
import { ArmError } from '../../src/arm/arm-error.ts'
import { readOnly } from '../../src/arm/marks.ts'
import { defineResourceType, type Provider } from '../../src/arm/resource-type.ts'
import { createNetworkProvider } from '../../src/providers/network/provider.ts'
import { privateDnsProvider } from '../../src/providers/private-dns/provider.ts'
import { type Answer, createArmForTests, type TestArm } from './arm.ts'

const STORE = 'Contoso.Storage/stores'
const REPLICA = `${STORE}/replicas`
const CONNECTION = `${STORE}/privateEndpointConnections`

const connection = defineResourceType({
  type: CONNECTION,
  apiVersions: ['2024-01-01'],
  location: 'none',
  etag: 'none',
  writable: 'existing',
  properties: Type.Object({
    privateEndpoint: Type.Optional(readOnly(Type.Object({ id: Type.String() }))),
    privateLinkServiceConnectionState: Type.Object({
      status: Type.Enum(['Pending', 'Approved', 'Rejected']),
      description: Type.Optional(Type.String()),
    }),
    provisioningState: Type.Optional(readOnly(Type.String())),
  }),
})

const replica = defineResourceType({
  type: REPLICA,
  apiVersions: ['2024-01-01'],
  location: 'none',
  etag: 'none',
  properties: Type.Object({}),
})

/** Something that private endpoints can connect to: a host for each region, and one for all. */
const store = defineResourceType({
  type: STORE,
  apiVersions: ['2024-01-01'],
  location: 'required',
  etag: 'none',
  properties: Type.Object({ takesEndpoints: Type.Boolean({ default: true }) }),
  privateLink: {
    connectionType: CONNECTION,
    approvalAction: `${STORE}/privateEndpointConnectionsApproval/action`,
    async groups(target, context) {
      const replicas = await context.children(target.id, REPLICA)
      const regions = [target.location ?? '', ...replicas.map(({ name }) => name)]
      const members = regions.map((region) => ({
        name: `store_data_${region}`,
        fqdn: `${target.name}.${region}.data.contoso.io`,
      }))
      return [
        {
          groupId: 'store',
          members: [...members, { name: 'store', fqdn: `${target.name}.contoso.io` }],
          zoneNames: ['privatelink.contoso.io'],
        },
      ]
    },
    async accept(target) {
      if (target.properties.takesEndpoints) return
      throw new ArmError(400, { code: 'NoEndpoints', message: 'The store takes no endpoints.' })
    },
  },
})

const storeProvider: Provider = {
  namespace: 'Contoso.Storage',
  registeredByDefault: true,
  types: [store, replica, connection],
}

/** A control plane with networks, private zones and stores, and one group in it. */
export interface NetworkLab {
  readonly arm: TestArm
  /** The id of a resource in the group: `id('virtualNetworks/a')`. */
  id(path: string): string
  /** Puts a network with one subnet `default` and returns the subnet's id. */
  network(name: string, prefix?: string): Promise<string>
  /** Puts an interface with one dynamic address. */
  nic(name: string, subnet: string): Promise<Answer>
  /** Puts a store with replicas and returns its id. */
  store(name: string, replicas?: readonly string[]): Promise<string>
  /** Puts an endpoint in the subnet for the store. */
  endpoint(name: string, subnet: string, store: string, more?: object): Promise<Answer>
  /** The body of an endpoint's PUT. */
  endpointBody(subnet: string, store: string, more?: object): { properties: object }
  /** The store's one connection. */
  connection(store: string): Promise<string>
  /** What the endpoint's interface says: `[requiredMemberName, privateIPAddress]` for each address. */
  addresses(endpoint: Answer): Promise<[string, string][]>
}

export async function createNetworkLab(
  options: Parameters<typeof createArmForTests>[0] = {},
  heldAddresses: (networkId: string) => readonly string[] = () => [],
): Promise<NetworkLab> {
  const arm = await createArmForTests({
    ...options,
    providers: [createNetworkProvider({ heldAddresses }), privateDnsProvider, storeProvider],
  })
  const group = await arm.group('lab')
  const id = (path: string) => `${group}/providers/Microsoft.Network/${path}`
  const location = 'westeurope'
  const endpointBody = (subnet: string, target: string, more: object = {}) => ({
    location,
    properties: {
      subnet: { id: subnet },
      privateLinkServiceConnections: [
        { name: 'link', properties: { privateLinkServiceId: target, groupIds: ['store'] } },
      ],
      ...more,
    },
  })
  return {
    arm,
    id,
    endpointBody,
    async network(name, prefix = '10.0.0.0/24') {
      const answer = await arm.put(id(`virtualNetworks/${name}`), {
        location,
        properties: {
          addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
          subnets: [{ name: 'default', properties: { addressPrefix: prefix } }],
        },
      })
      return answer.body.properties.subnets[0].id
    },
    nic: (name, subnet) =>
      arm.put(id(`networkInterfaces/${name}`), {
        location,
        properties: {
          ipConfigurations: [{ name: 'ipconfig1', properties: { subnet: { id: subnet } } }],
        },
      }),
    async store(name, replicas = []) {
      const target = `${group}/providers/${STORE}/${name}`
      await arm.put(target, { location, properties: {} })
      for (const region of replicas) await arm.put(`${target}/replicas/${region}`, {})
      return target
    },
    endpoint: (name, subnet, target, more) =>
      arm.put(id(`privateEndpoints/${name}`), endpointBody(subnet, target, more)),
    async connection(target) {
      const [only] = await arm.list(`${target}/privateEndpointConnections`)
      return only.id
    },
    async addresses(endpoint) {
      const [{ id: nic }] = endpoint.body.properties.networkInterfaces
      const { body } = await arm.get(nic)
      return body.properties.ipConfigurations.map(
        // biome-ignore lint/suspicious/noExplicitAny: a body as it came.
        ({ properties }: any) => [
          properties.privateLinkConnectionProperties.requiredMemberName,
          properties.privateIPAddress,
        ],
      )
    },
  }
}
