import { keyOf, parseResourceId } from '../../arm/resource-id.ts'
import { createMutex } from '../../lib/mutex.ts'
import type { ChangeFeed } from '../../storage/change-feed.ts'
import type { WebhookFacts, WebhookSource } from '../../webhooks/webhook-source.ts'
import type { CommittedResources } from './registry-directory.ts'
import { type Registry, uidOf, WEBHOOK } from './registry-properties.ts'
import { readCallback, type Webhook, webhookUid } from './webhook.ts'

interface Known {
  readonly facts: WebhookFacts
  readonly registryUid: string
  readonly webhook: Webhook
}

/** The webhooks as their queue sees them: loaded once, then kept in step with the feed. Secrets stay sealed until they are used. */
export async function createWebhookSource({
  resources,
  feed,
  unseal,
}: {
  readonly resources: CommittedResources
  readonly feed: ChangeFeed
  readonly unseal: (sealed: string) => string
}): Promise<WebhookSource> {
  const byKey = new Map<string, Known>()
  let byUid: ReadonlyMap<string, Known> = new Map()
  let byRegistry: ReadonlyMap<string, readonly WebhookFacts[]> = new Map()
  const serially = createMutex()

  async function read(webhook: Webhook): Promise<Known | undefined> {
    const registryId = parseResourceId(webhook.id)?.parent ?? ''
    const registry = await resources.get<Registry['properties']>(registryId)
    return registry && { facts: factsOf(webhook), registryUid: uidOf(registry), webhook }
  }

  function index(): void {
    const all = [...byKey.values()]
    byUid = new Map(all.map((known) => [known.facts.uid, known]))
    const groups = Map.groupBy(all, ({ registryUid }) => registryUid)
    byRegistry = new Map(
      [...groups].map(([uid, known]) => [uid, known.map(({ facts }) => facts)] as const),
    )
  }

  async function refresh(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const webhook = await resources.get<Webhook['properties']>(id)
      const known = webhook && (await read(webhook))
      if (known) byKey.set(keyOf(id), known)
      else byKey.delete(keyOf(id))
    }
    index()
  }

  feed.subscribe((changes) => {
    const ids = changes.filter(({ type }) => type === WEBHOOK).map(({ id }) => id)
    return ids.length === 0 ? undefined : serially(() => refresh(ids))
  })
  await serially(async () => {
    const all = await resources.all<Webhook['properties']>(WEBHOOK)
    await refresh(all.map(({ id }) => id))
  })

  return {
    ofRegistry: (uid) => byRegistry.get(uid) ?? [],
    callbackOf(uid) {
      const known = byUid.get(uid)
      return known && readCallback(known.webhook.properties, unseal)
    },
    uids: () => [...byUid.keys()],
  }
}

const factsOf = (webhook: Webhook): WebhookFacts => ({
  uid: webhookUid(webhook),
  isEnabled: webhook.properties.status === 'enabled',
  scope: webhook.properties.scope,
  actions: webhook.properties.actions,
})
