import type { Resource } from '../../arm/resource-type.ts'
import type { Registry } from './registry-properties.ts'
import { SCOPE_MAP } from './registry-properties.ts'
import type { ScopeMapProperties } from './scope-map.ts'

interface SystemScopeMap {
  readonly name: string
  readonly description: string
  readonly actions: readonly string[]
}

const onAll = (...actions: readonly string[]) => actions.map((each) => `repositories/*/${each}`)

/** Those that every registry has, word for word as the service has them. */
export const SYSTEM_SCOPE_MAPS: readonly SystemScopeMap[] = [
  {
    name: '_repositories_admin',
    description: 'Can perform all read, write and delete operations on the registry',
    actions: onAll(
      'metadata/read',
      'metadata/write',
      'content/read',
      'content/write',
      'content/delete',
    ),
  },
  {
    name: '_repositories_pull',
    description: 'Can pull any repository of the registry',
    actions: onAll('content/read'),
  },
  {
    name: '_repositories_pull_metadata_read',
    description: 'Can perform all read operations on the registry',
    actions: onAll('content/read', 'metadata/read'),
  },
  {
    name: '_repositories_push',
    description: 'Can push to any repository of the registry',
    actions: onAll('content/read', 'content/write'),
  },
  {
    name: '_repositories_push_metadata_write',
    description: 'Can perform all read and write operations on the registry',
    actions: onAll('metadata/read', 'metadata/write', 'content/read', 'content/write'),
  },
]

export const findSystemScopeMap = (name: string): SystemScopeMap | undefined =>
  SYSTEM_SCOPE_MAPS.find((each) => each.name === name.toLowerCase())

/** A system-defined scope map as a resource of the registry, which is as old as the registry. */
export const asScopeMap = (
  { name, description, actions }: SystemScopeMap,
  registry: Registry,
): Resource<ScopeMapProperties> => ({
  id: `${registry.id}/scopeMaps/${name}`,
  type: SCOPE_MAP,
  name,
  top: {},
  properties: {
    description,
    type: 'SystemDefined',
    creationDate: registry.properties.creationDate ?? registry.systemData.createdAt,
    provisioningState: 'Succeeded',
    actions: [...actions],
  },
  etag: '',
  systemData: registry.systemData,
})
