import { isSameId } from '../../arm/resource-id.ts'
import { type Action, type Context, defineResourceType } from '../../arm/resource-type.ts'
import { API_VERSIONS } from './api-versions.ts'
import { listCredentials, newAdminPasswords, regenerateCredential } from './credentials.ts'
import { generateCredentials } from './generate-credentials.ts'
import { stampPolicies } from './policies.ts'
import { presentRegistry } from './present-registry.ts'
import type { ConnectionProperties } from './private-endpoint-connection.ts'
import { privateLinkResources } from './private-link-resources.ts'
import { notSupportedForSku, quotaExceeded } from './registry-errors.ts'
import { privateLinkGroupOf } from './registry-hosts.ts'
import {
  CONNECTION,
  REGISTRY,
  type Registry,
  type RegistryProperties,
  registryProperties,
} from './registry-properties.ts'
import { validateRegistry } from './registry-rules.ts'
import { registryTop, skuOf } from './sku.ts'

/** The registry as a resource. Its actions that touch content are built where the registry plane is known. */
export const createRegistryType = (
  contentActions: Readonly<Record<string, Action<RegistryProperties>>>,
) =>
  defineResourceType({
    type: REGISTRY,
    apiVersions: API_VERSIONS,
    location: 'required',
    etag: 'none',
    showsSystemData: true,
    properties: registryProperties,
    top: registryTop,

    validate: validateRegistry,

    provision: ({ properties }, context, previous) => ({
      uid: properties.uid ?? context.uuid(),
      creationDate: properties.creationDate ?? context.now.toISOString(),
      provisioningState: 'Succeeded',
      adminPasswords: properties.adminPasswords ?? newAdminPasswords(context),
      policies: stampPolicies(properties.policies, previous?.properties.policies, context.now),
    }),

    present: presentRegistry,
    // The registry provider shows tags where there are none; stored ones take this place.
    presentTop: (stored) => ({ sku: { name: skuOf(stored), tier: skuOf(stored) }, tags: {} }),

    actions: {
      listCredentials,
      regenerateCredential,
      generateCredentials,
      privateLinkResources,
      ...contentActions,
    },

    privateLink: {
      connectionType: CONNECTION,
      approvalAction: `${REGISTRY}/privateEndpointConnectionsApproval/action`,
      groups: async (registry, context) => [await privateLinkGroupOf(registry, context)],
      accept: acceptEndpoint,
    },
  })

/**
 * Marks the registry as linked for good: the article's `unresolvable host`, after its endpoint is gone, is that of a
 * public name which still leads through the private zone.
 *
 * @throws ArmError 400 below Premium, or when the registry has as many endpoints as it may.
 */
async function acceptEndpoint(
  registry: Registry,
  endpointId: string,
  context: Context,
): Promise<void> {
  const sku = skuOf(registry)
  // The service's own words for this refusal and the next are not known; these follow their families.
  if (sku !== 'Premium') {
    throw notSupportedForSku('PrivateLinkNotSupported', 'Private link', sku, 'private-link')
  }
  const connections = await context.children<ConnectionProperties>(registry.id, CONNECTION)
  const others = connections.filter(
    ({ properties }) => !isSameId(properties.privateEndpoint?.id ?? '', endpointId),
  )
  if (others.length >= context.settings.privateEndpointsPerRegistry) {
    throw quotaExceeded('privateEndpointConnections', sku)
  }
  if (registry.properties.privateLinked) return
  await context.write(registry.id, {
    ...registry,
    properties: { ...registry.properties, privateLinked: true },
  })
}
