import type { Provider } from '../../arm/resource-type.ts'
import { createCacheRuleType } from './cache-rule.ts'
import type { CachedContent } from './cache-rule-rules.ts'
import { checkNameAvailability } from './check-name-availability.ts'
import { createCredentialSetType } from './credential-set.ts'
import { createImportImage, type ImageCopier } from './import-image.ts'
import { privateEndpointConnection } from './private-endpoint-connection.ts'
import { createRegistryType } from './registry.ts'
import { createReplicationType } from './replication.ts'
import { scopeMap } from './scope-map.ts'
import { token } from './token.ts'
import { createListUsages, type StoredContent } from './usages.ts'
import type { VaultSecrets } from './vault-secrets.ts'
import { createWebhookType, type WebhookDeliveries } from './webhook.ts'

/** Registries and what lies in them. Images are content, which belongs to the registry plane. */
export function createContainerRegistryProvider({
  images,
  content,
  cached,
  secrets,
  webhooks,
}: {
  readonly images: ImageCopier
  readonly content: StoredContent
  readonly cached: CachedContent
  readonly secrets: VaultSecrets
  readonly webhooks: WebhookDeliveries
}): Provider {
  const registry = createRegistryType({
    importImage: createImportImage(images),
    listUsages: createListUsages(content),
  })
  return {
    namespace: 'Microsoft.ContainerRegistry',
    registeredByDefault: false,
    types: [
      registry,
      createReplicationType(content),
      privateEndpointConnection,
      scopeMap,
      token,
      createCacheRuleType(cached),
      createCredentialSetType(secrets),
      createWebhookType(webhooks),
    ],
    subscriptionActions: { checkNameAvailability },
  }
}
