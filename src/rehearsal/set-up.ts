import type { ArmClient } from './arm-client.ts'
import { NAMES } from './names.ts'

/** One step of the set-up: what a person reads, and what is sent. */
interface Step {
  readonly title: string
  readonly run: (arm: ArmClient) => Promise<unknown>
}

/**
 * Makes the article's set-up through the public interface, in the order that gives the registry the address 10.0.0.7:
 * the replica first, then the machine's interface at .4, then the endpoint. Repeating it changes nothing.
 */
export function setUpSteps(subscriptionId: string, registryDomain: string): readonly Step[] {
  const group = `/subscriptions/${subscriptionId}/resourceGroups/${NAMES.group}`
  const network = `${group}/providers/Microsoft.Network`
  const virtualNetwork = `${network}/virtualNetworks/${NAMES.network}`
  const subnet = `${virtualNetwork}/subnets/${NAMES.subnet}`
  const registry = `${group}/providers/Microsoft.ContainerRegistry/registries/${NAMES.registry}`
  const zone = `${network}/privateDnsZones/privatelink.${registryDomain}`
  const endpoint = `${network}/privateEndpoints/${NAMES.endpoint}`
  const { location } = NAMES

  return [
    {
      title: `resource group ${NAMES.group}`,
      run: async (arm) => {
        await arm.send(
          'POST',
          `/subscriptions/${subscriptionId}/providers/Microsoft.ContainerRegistry/register`,
        )
        await arm.send('PUT', group, { location })
      },
    },
    {
      title: `network ${NAMES.network}, subnet ${NAMES.subnet}`,
      run: (arm) =>
        arm.send('PUT', virtualNetwork, {
          location,
          properties: {
            addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
            subnets: [
              {
                name: NAMES.subnet,
                properties: {
                  addressPrefix: '10.0.0.0/24',
                  privateEndpointNetworkPolicies: 'Disabled',
                },
              },
            ],
          },
        }),
    },
    {
      title: `registry ${NAMES.registry} (Premium), replica ${NAMES.replica}`,
      run: async (arm) => {
        await arm.send('PUT', registry, {
          location,
          sku: { name: 'Premium' },
          properties: { adminUserEnabled: false },
        })
        await arm.send('PUT', `${registry}/replications/${NAMES.replica}`, {
          location: NAMES.replica,
        })
      },
    },
    {
      title: `image ${NAMES.repository}:${NAMES.tag} from mcr.microsoft.com`,
      run: (arm) =>
        arm.send('POST', `${registry}/importImage`, {
          source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
          targetTags: [`${NAMES.repository}:${NAMES.tag}`],
          mode: 'Force',
        }),
    },
    {
      title: `interface ${NAMES.machineInterface} of a machine in the subnet`,
      run: (arm) =>
        arm.send('PUT', `${network}/networkInterfaces/${NAMES.machineInterface}`, {
          location,
          properties: {
            ipConfigurations: [
              {
                name: `ipconfig${NAMES.network}`,
                properties: { privateIPAllocationMethod: 'Dynamic', subnet: { id: subnet } },
              },
            ],
          },
        }),
    },
    {
      title: `private zone privatelink.${registryDomain}, link ${NAMES.link}`,
      run: async (arm) => {
        await arm.send('PUT', zone, { location: 'global' })
        await arm.send('PUT', `${zone}/virtualNetworkLinks/${NAMES.link}`, {
          location: 'global',
          properties: { virtualNetwork: { id: virtualNetwork }, registrationEnabled: false },
        })
      },
    },
    {
      title: `private endpoint ${NAMES.endpoint}, zone group`,
      run: async (arm) => {
        await arm.send('PUT', endpoint, {
          location,
          properties: {
            subnet: { id: subnet },
            privateLinkServiceConnections: [
              {
                name: NAMES.connection,
                properties: { privateLinkServiceId: registry, groupIds: ['registry'] },
              },
            ],
          },
        })
        await arm.send('PUT', `${endpoint}/privateDnsZoneGroups/default`, {
          properties: {
            privateDnsZoneConfigs: [{ name: 'acr', properties: { privateDnsZoneId: zone } }],
          },
        })
      },
    },
    {
      title: 'public access off',
      run: (arm) =>
        arm.send('PATCH', registry, {
          properties: {
            publicNetworkAccess: 'Disabled',
            networkRuleSet: { defaultAction: 'Deny' },
          },
        }),
    },
  ]
}
