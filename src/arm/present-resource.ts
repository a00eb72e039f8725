import { etagOnWire } from './preconditions.ts'
import type { Context, Resource, ResourceType } from './resource-type.ts'
import { withoutSecrets } from './shape.ts'

/** A resource as clients see it: secrets removed, ids in their stored case. */
export async function presentResource(
  type: ResourceType,
  resource: Resource,
  context: Context,
  apiVersion: string,
): Promise<Record<string, unknown>> {
  const { id, name, location, tags, systemData } = resource
  const etag = etagOnWire(type, resource.etag)
  const top = {
    ...(type.top ? withoutSecrets(type.top, resource.top) : resource.top),
    ...type.presentTop?.(resource, apiVersion),
  }
  const shown = (await type.present?.(resource, context, apiVersion)) ?? resource.properties
  const properties = withoutSecrets(type.properties, shown)
  const isProvisioned =
    'provisioningState' in type.properties.properties && !('provisioningState' in properties)
  return {
    ...top,
    type: type.type,
    id,
    name,
    ...(etag !== undefined && { etag }),
    ...(location !== undefined && { location }),
    ...(tags && { tags }),
    ...(type.showsSystemData && { systemData }),
    properties: { ...properties, ...(isProvisioned && { provisioningState: 'Succeeded' }) },
  }
}
