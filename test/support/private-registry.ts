import { type ArmClient, type ArmDocument, accepted } from './arm-client.ts'

export const ZONE = 'privatelink.azurecr.io'
const LOCATION = 'westeurope'
const SUBNET = 'apps'

export interface Network {
  readonly group: string
  readonly id: string
  readonly name: string
  readonly subnetId: string
  readonly location: string
}

export interface Registry {
  readonly id: string
  readonly name: string
  readonly loginServer: string
}

export interface Endpoint {
  readonly id: string
  readonly name: string
  /** The registry's own address, its login server's. */
  readonly address: string
}

/** Makes a resource group and returns its id; the first call also registers the registry's provider. */
export async function makeGroup(arm: ArmClient, name: string): Promise<string> {
  accepted(await arm.post(`${arm.subscription}/providers/Microsoft.ContainerRegistry/register`))
  const id = `${arm.subscription}/resourceGroups/${name}`
  accepted(await arm.put(id, { location: LOCATION }))
  return id
}

export async function makeNetwork(
  arm: ArmClient,
  group: string,
  name: string,
  prefix = '10.0.0.0/16',
  subnetPrefix = '10.0.0.0/24',
  location = LOCATION,
): Promise<Network> {
  const id = `${group}/providers/Microsoft.Network/virtualNetworks/${name}`
  accepted(
    await arm.put(id, {
      location,
      properties: {
        addressSpace: { addressPrefixes: [prefix] },
        subnets: [{ name: SUBNET, properties: { addressPrefix: subnetPrefix } }],
      },
    }),
  )
  return { group, id, name, subnetId: `${id}/subnets/${SUBNET}`, location }
}

export async function makeRegistry(
  arm: ArmClient,
  group: string,
  name: string,
  sku = 'Premium',
): Promise<Registry> {
  const id = `${group}/providers/Microsoft.ContainerRegistry/registries/${name}`
  const { properties } = accepted(await arm.put(id, { location: LOCATION, sku: { name: sku } }))
  return { id, name, loginServer: String(properties?.loginServer) }
}

/** Imports the sample image that ships with the product as `hello-world:v1`. */
export async function importSample(arm: ArmClient, registry: Registry): Promise<void> {
  accepted(
    await arm.post(`${registry.id}/importImage`, {
      source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
      targetTags: ['hello-world:v1'],
      mode: 'NoForce',
    }),
  )
}

/** A private endpoint's body; `manual` asks for approval instead of taking it. */
export const endpointBody = (registryId: string, subnetId: string, manual?: 'manual') => ({
  location: LOCATION,
  properties: {
    subnet: { id: subnetId },
    [manual ? 'manualPrivateLinkServiceConnections' : 'privateLinkServiceConnections']: [
      { name: 'link', properties: { privateLinkServiceId: registryId, groupIds: ['registry'] } },
    ],
  },
})

/** A private endpoint with its zone in the network's group, the zone's link, and a zone group that keeps the records. */
export async function connect(
  arm: ArmClient,
  network: Network,
  registry: Registry,
): Promise<Endpoint> {
  const name = `${network.name}-endpoint`
  const id = `${network.group}/providers/Microsoft.Network/privateEndpoints/${name}`
  const { location, subnetId } = network
  accepted(await arm.put(id, { ...endpointBody(registry.id, subnetId), location }))
  const zone = `${network.group}/providers/Microsoft.Network/privateDnsZones/${ZONE}`
  accepted(await arm.put(zone, { location: 'global' }))
  accepted(
    await arm.put(`${zone}/virtualNetworkLinks/${network.name}`, {
      location: 'global',
      properties: { virtualNetwork: { id: network.id }, registrationEnabled: false },
    }),
  )
  accepted(
    await arm.put(`${id}/privateDnsZoneGroups/default`, {
      properties: {
        privateDnsZoneConfigs: [{ name: 'acr', properties: { privateDnsZoneId: zone } }],
      },
    }),
  )
  return { id, name, address: await addressOf(arm, id) }
}

/** Opens or closes the public side of a registry. */
export const setPublicAccess = async (
  arm: ArmClient,
  registry: Registry,
  publicNetworkAccess: 'Enabled' | 'Disabled',
): Promise<void> => {
  accepted(await arm.patch(registry.id, { properties: { publicNetworkAccess } }))
}

/** Approves or rejects the registry's connection with an endpoint. */
export async function decideConnection(
  arm: ArmClient,
  registry: Registry,
  endpoint: Endpoint,
  status: 'Approved' | 'Rejected',
): Promise<void> {
  const { value = [] } = accepted(await arm.get(`${registry.id}/privateEndpointConnections`))
  const connection = value.find(
    (candidate) => endpointIdOf(candidate) === endpoint.id.toLowerCase(),
  )
  accepted(
    await arm.put(String(connection?.id), {
      properties: {
        privateEndpoint: { id: endpoint.id },
        privateLinkServiceConnectionState: { status, description: `${status} by a test` },
      },
    }),
  )
}

function endpointIdOf(connection: ArmDocument): string {
  const { privateEndpoint } = connection.properties as { privateEndpoint: { id: string } }
  return privateEndpoint.id.toLowerCase()
}

async function addressOf(arm: ArmClient, endpoint: string): Promise<string> {
  const { networkInterfaces } = accepted(await arm.get<EndpointDocument>(endpoint)).properties
  const card = accepted(await arm.get<InterfaceDocument>(networkInterfaces[0].id))
  const own = card.properties.ipConfigurations.find(
    (each) => each.properties.privateLinkConnectionProperties.requiredMemberName === 'registry',
  )
  return own?.properties.privateIPAddress ?? ''
}

interface EndpointDocument {
  readonly properties: { readonly networkInterfaces: readonly [{ readonly id: string }] }
}

interface InterfaceDocument {
  readonly properties: {
    readonly ipConfigurations: readonly {
      readonly properties: {
        readonly privateIPAddress: string
        readonly privateLinkConnectionProperties: { readonly requiredMemberName: string }
      }
    }[]
  }
}

/** Switches the admin user on and returns the name and the password to sign in with. */
export async function adminOf(
  arm: ArmClient,
  registry: Registry,
): Promise<{ readonly username: string; readonly password: string }> {
  accepted(await arm.patch(registry.id, { properties: { adminUserEnabled: true } }))
  const { username, passwords } = accepted(
    await arm.post<{ username: string; passwords: readonly [{ value: string }] }>(
      `${registry.id}/listCredentials`,
    ),
  )
  return { username, password: passwords[0].value }
}
