import type { Provider } from '../../arm/resource-type.ts'
import { checkNameAvailability } from './check-name-availability.ts'
import { createImportImage, type ImageCopier } from './import-image.ts'
import { privateEndpointConnection } from './private-endpoint-connection.ts'
import { createRegistryType } from './registry.ts'
import { replication } from './replication.ts'
import { createListUsages, type StoredContent } from './usages.ts'
import { createWebhookType, type WebhookDeliveries } from './webhook.ts'

/** Registries and what lies in them. Images are content, which belongs to the registry plane. */
export function createContainerRegistryProvider({
  images,
  content,
  webhooks,
}: {
  readonly images: ImageCopier
  readonly content: StoredContent
  readonly webhooks: WebhookDeliveries
}): Provider {
  const registry = createRegistryType({
    importImage: createImportImage(images),
    listUsages: createListUsages(content),
  })
  return {
    namespace: 'Microsoft.ContainerRegistry',
    registeredByDefault: false,
    types: [registry, replication, privateEndpointConnection, createWebhookType(webhooks)],
    subscriptionActions: { checkNameAvailability },
  }
}
