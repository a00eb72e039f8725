import type { Provider } from '../../arm/resource-type.ts'
import { networkInterface } from './network-interface.ts'
import { privateDnsZoneGroup } from './private-dns-zone-group.ts'
import { privateEndpoint } from './private-endpoint.ts'
import { subnet } from './subnet.ts'
import { virtualNetwork } from './virtual-network.ts'

/** Networks, and the endpoints in them. */
export const networkProvider: Provider = {
  namespace: 'Microsoft.Network',
  registeredByDefault: true,
  types: [virtualNetwork, subnet, networkInterface, privateEndpoint, privateDnsZoneGroup],
}
