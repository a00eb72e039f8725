import type { Provider } from '../../arm/resource-type.ts'
import { privateDnsZone } from './private-dns-zone.ts'
import { recordSets } from './record-set.ts'
import { soaRecordSet } from './soa-record-set.ts'
import { virtualNetworkLink } from './virtual-network-link.ts'

const recordSetTypes = [soaRecordSet, ...recordSets].map(({ type }) => type)

/** Private DNS: zones, their links and record sets. */
export const privateDnsProvider: Provider = {
  namespace: 'Microsoft.Network',
  registeredByDefault: true,
  types: [privateDnsZone, virtualNetworkLink, soaRecordSet, ...recordSets],
  collections: {
    [`${privateDnsZone.type}/ALL`]: recordSetTypes,
    [`${privateDnsZone.type}/recordsets`]: recordSetTypes,
  },
}
