import type { Provider } from '../../arm/resource-type.ts'
import type { AddressHolders } from './linked-subnet.ts'
import { createNetworkInterface } from './network-interface.ts'
import { privateDnsZoneGroup } from './private-dns-zone-group.ts'
import { createPrivateEndpoint } from './private-endpoint.ts'
import { subnet } from './subnet.ts'
import { virtualNetwork } from './virtual-network.ts'

/** Networks, and the endpoints in them. */
export const createNetworkProvider = (holders: AddressHolders): Provider => ({
  namespace: 'Microsoft.Network',
  registeredByDefault: true,
  types: [
    virtualNetwork,
    subnet,
    createNetworkInterface(holders),
    createPrivateEndpoint(holders),
    privateDnsZoneGroup,
  ],
})
