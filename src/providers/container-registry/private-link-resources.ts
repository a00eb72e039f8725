import type { Action } from '../../arm/resource-type.ts'
import { childNotFound } from './registry-errors.ts'
import { privateLinkGroupOf } from './registry-hosts.ts'
import { REGISTRY, type RegistryProperties } from './registry-properties.ts'

/** GET `privateLinkResources` lists what an endpoint may connect to, GET `privateLinkResources/registry` shows it. */
export const privateLinkResources: Action<RegistryProperties> = {
  method: 'GET',
  permission: 'privateLinkResources/read',
  run: async (registry, _body, context, segments) => {
    const group = await privateLinkGroupOf(registry, context)
    const id = `${registry.id}/privateLinkResources/${group.groupId}`
    const resource = {
      type: `${REGISTRY}/privateLinkResources`,
      id,
      name: group.groupId,
      properties: {
        groupId: group.groupId,
        requiredMembers: group.members.map((member) => member.name),
        requiredZoneNames: group.zoneNames,
      },
    }
    const [name, ...rest] = segments
    if (name === undefined) return { value: [resource] }
    if (rest.length > 0 || name.toLowerCase() !== group.groupId) {
      throw childNotFound(`${registry.id}/privateLinkResources/${segments.join('/')}`)
    }
    return resource
  },
}
