import type { Provider } from '../../arm/resource-type.ts'
import { resourceGroup } from './resource-group.ts'

export const resourcesProvider: Provider = {
  namespace: 'Microsoft.Resources',
  registeredByDefault: true,
  types: [resourceGroup],
}
