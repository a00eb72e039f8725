import type { Provider } from '../../src/arm/resource-type.ts'
import { createAuthorizationProvider } from '../../src/providers/authorization/provider.ts'
import { createContainerRegistryProvider } from '../../src/providers/container-registry/provider.ts'
import { createNetworkProvider } from '../../src/providers/network/provider.ts'
import { privateDnsProvider } from '../../src/providers/private-dns/provider.ts'
import { resourcesProvider } from '../../src/providers/resources/provider.ts'
import type { TestArm } from '../support/arm.ts'
import { widgetsProvider } from '../support/widgets.ts'

type Body = Readonly<Record<string, unknown>>

/** A resource type to which ARM's rules are put. */
export interface Subject {
  readonly type: string
  /** All that has to be there for the type. */
  readonly providers: readonly Provider[]
  /** Makes what the resource needs and returns the path of its collection. */
  readonly prepare: (arm: TestArm) => Promise<string>
  readonly name: string
  readonly body: Body | ((arm: TestArm) => Promise<Body>)
  /** It ends by an operation; nothing there is 404 then. */
  readonly deletion?: 'operation'
  /** What a PUT of what exists is answered with, where it is not 200. */
  readonly replacedStatus?: number
  /** Proxies without tags are not asked about them. */
  readonly isTagged: boolean
}

const registries = createContainerRegistryProvider({
  images: { copy: () => Promise.reject(new Error('no image is copied here')) },
  content: { storedBytes: async () => 0, replicaState: async () => undefined },
  cached: { hasRepository: () => false },
  secrets: { valueOf: async () => undefined },
  webhooks: { ping: async () => '', events: async () => [] },
})
const PRINCIPAL = '00000000-0000-4000-8000-0000000000c1'
const authorization = createAuthorizationProvider({
  principals: { exists: async (objectId) => objectId === PRINCIPAL },
})
const networks = createNetworkProvider({ heldAddresses: () => [] })
const cloud = [networks, privateDnsProvider, registries, authorization]

const REGISTRY = { location: 'westeurope', sku: { name: 'Premium' }, properties: {} }
const NETWORK = {
  location: 'westeurope',
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
    subnets: [{ name: 'first', properties: { addressPrefix: '10.0.0.0/24' } }],
  },
}

/** Puts a resource into a group of its own, and returns its path. */
const given = async (arm: TestArm, path: string, body: unknown): Promise<string> => {
  const { body: made } = await arm.put(`${await arm.group()}/providers/${path}`, body)
  if (!made?.id) throw new Error(`${path}: ${JSON.stringify(made)}`)
  return made.id
}

const inGroup = (path: string) => async (arm: TestArm) => `${await arm.group()}/providers/${path}`

const tokened = async (arm: TestArm) =>
  `${await arm.group('tokened')}/providers/Microsoft.ContainerRegistry/registries/tokened`

/** One for each type that clients write. */
export const SUBJECTS: readonly Subject[] = [
  {
    type: 'Microsoft.Resources/resourceGroups',
    providers: [resourcesProvider],
    prepare: async (arm) => `${arm.subscription}/resourceGroups`,
    name: 'Conforming',
    body: { location: 'westeurope' },
    deletion: 'operation',
    isTagged: true,
  },
  {
    type: 'Example.Test/widgets',
    providers: [widgetsProvider],
    prepare: inGroup('Example.Test/widgets'),
    name: 'Conforming',
    body: { location: 'westeurope', properties: {} },
    isTagged: true,
  },
  {
    type: 'Example.Test/widgets/parts',
    providers: [widgetsProvider],
    async prepare(arm) {
      const widgets = await inGroup('Example.Test/widgets')(arm)
      await arm.put(`${widgets}/w`, { location: 'westeurope', properties: {} })
      return `${widgets}/w/parts`
    },
    name: 'Conforming',
    body: { properties: { width: 2 } },
    isTagged: false,
  },
  {
    type: 'Microsoft.Network/virtualNetworks',
    providers: cloud,
    prepare: inGroup('Microsoft.Network/virtualNetworks'),
    name: 'Conforming',
    body: NETWORK,
    isTagged: true,
  },
  {
    type: 'Microsoft.Network/virtualNetworks/subnets',
    providers: cloud,
    prepare: async (arm) =>
      `${await given(arm, 'Microsoft.Network/virtualNetworks/net', NETWORK)}/subnets`,
    name: 'Conforming',
    body: { properties: { addressPrefix: '10.0.1.0/24' } },
    isTagged: false,
  },
  {
    type: 'Microsoft.Network/privateEndpoints',
    providers: cloud,
    prepare: inGroup('Microsoft.Network/privateEndpoints'),
    name: 'Conforming',
    async body(arm) {
      const net = await given(arm, 'Microsoft.Network/virtualNetworks/net', NETWORK)
      const registry = await given(
        arm,
        'Microsoft.ContainerRegistry/registries/linkedone',
        REGISTRY,
      )
      const link = { privateLinkServiceId: registry, groupIds: ['registry'] }
      return {
        location: 'westeurope',
        properties: {
          subnet: { id: `${net}/subnets/first` },
          privateLinkServiceConnections: [{ name: 'connection', properties: link }],
        },
      }
    },
    isTagged: true,
  },
  {
    type: 'Microsoft.Network/privateDnsZones',
    providers: cloud,
    prepare: inGroup('Microsoft.Network/privateDnsZones'),
    name: 'conforming.example',
    body: { location: 'global' },
    isTagged: true,
  },
  {
    type: 'Microsoft.Network/privateDnsZones/virtualNetworkLinks',
    providers: cloud,
    prepare: async (arm) =>
      `${await given(arm, 'Microsoft.Network/privateDnsZones/a.example', { location: 'global' })}/virtualNetworkLinks`,
    name: 'Conforming',
    async body(arm) {
      const net = await given(arm, 'Microsoft.Network/virtualNetworks/net', NETWORK)
      return {
        location: 'global',
        properties: { virtualNetwork: { id: net }, registrationEnabled: false },
      }
    },
    isTagged: true,
  },
  {
    type: 'Microsoft.Network/privateDnsZones/A',
    providers: cloud,
    prepare: async (arm) =>
      `${await given(arm, 'Microsoft.Network/privateDnsZones/a.example', { location: 'global' })}/A`,
    name: 'Conforming',
    body: { properties: { ttl: 60, aRecords: [{ ipv4Address: '10.0.0.4' }] } },
    isTagged: false,
  },
  {
    type: 'Microsoft.ContainerRegistry/registries',
    providers: cloud,
    prepare: inGroup('Microsoft.ContainerRegistry/registries'),
    name: 'Conforming',
    body: REGISTRY,
    isTagged: true,
  },
  {
    type: 'Microsoft.ContainerRegistry/registries/replications',
    providers: cloud,
    prepare: async (arm) =>
      `${await given(arm, 'Microsoft.ContainerRegistry/registries/replicated', REGISTRY)}/replications`,
    name: 'eastus',
    body: { location: 'eastus', properties: {} },
    isTagged: true,
  },
  {
    type: 'Microsoft.ContainerRegistry/registries/scopeMaps',
    providers: cloud,
    prepare: async (arm) =>
      `${await given(arm, 'Microsoft.ContainerRegistry/registries/scoped', REGISTRY)}/scopeMaps`,
    name: 'Conforming',
    body: { properties: { actions: ['repositories/app/content/read'] } },
    isTagged: false,
  },
  {
    type: 'Microsoft.ContainerRegistry/registries/tokens',
    providers: cloud,
    async prepare(arm) {
      const registry = await tokened(arm)
      await arm.put(registry, REGISTRY)
      return `${registry}/tokens`
    },
    name: 'Conforming',
    body: async (arm) => ({
      properties: { scopeMapId: `${await tokened(arm)}/scopeMaps/_repositories_pull` },
    }),
    isTagged: false,
  },
  {
    type: 'Microsoft.ContainerRegistry/registries/cacheRules',
    providers: cloud,
    prepare: async (arm) =>
      `${await given(arm, 'Microsoft.ContainerRegistry/registries/caching', REGISTRY)}/cacheRules`,
    name: 'Conforming',
    body: {
      properties: {
        sourceRepository: 'docker.io/library/nginx',
        targetRepository: 'hub/nginx',
      },
    },
    isTagged: false,
  },
  {
    type: 'Microsoft.ContainerRegistry/registries/credentialSets',
    providers: cloud,
    prepare: async (arm) =>
      `${await given(arm, 'Microsoft.ContainerRegistry/registries/caching', REGISTRY)}/credentialSets`,
    name: 'Conforming',
    body: {
      identity: { type: 'SystemAssigned' },
      properties: {
        loginServer: 'docker.io',
        authCredentials: [
          {
            name: 'Credential1',
            usernameSecretIdentifier: 'https://vault.vault.azure.net/secrets/username',
            passwordSecretIdentifier: 'https://vault.vault.azure.net/secrets/password',
          },
        ],
      },
    },
    isTagged: false,
  },
  {
    type: 'Microsoft.ContainerRegistry/registries/webhooks',
    providers: cloud,
    prepare: async (arm) =>
      `${await given(arm, 'Microsoft.ContainerRegistry/registries/hooked', REGISTRY)}/webhooks`,
    name: 'Conforming',
    body: {
      location: 'westeurope',
      properties: { serviceUri: 'https://receiver.example/', actions: ['push'] },
    },
    isTagged: true,
  },
  {
    type: 'Microsoft.Authorization/roleAssignments',
    providers: cloud,
    prepare: inGroup('Microsoft.Authorization/roleAssignments'),
    name: '00000000-0000-4000-8000-0000000000d1',
    replacedStatus: 201,
    body: {
      properties: {
        roleDefinitionId:
          '/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d',
        principalId: PRINCIPAL,
      },
    },
    isTagged: false,
  },
  {
    type: 'Microsoft.Authorization/roleDefinitions',
    providers: cloud,
    prepare: async (arm) => `${arm.subscription}/providers/Microsoft.Authorization/roleDefinitions`,
    name: '00000000-0000-4000-8000-0000000000d2',
    replacedStatus: 201,
    body: async (arm) => ({
      properties: {
        roleName: 'Conforming',
        assignableScopes: [arm.subscription],
        permissions: [{ actions: ['Microsoft.ContainerRegistry/registries/read'] }],
      },
    }),
    isTagged: false,
  },
]
