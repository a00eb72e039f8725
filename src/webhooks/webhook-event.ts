import type { Occasion } from '../registry/events/occasion.ts'
import type { ContentChange } from '../registry/events/registry-events.ts'
import type { WebhookAction, WebhookFacts } from './webhook-source.ts'

/** What is told, in the service's form: https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference */
export interface WebhookEvent {
  readonly id: string
  readonly timestamp: string
  readonly action: WebhookAction | 'ping'
  readonly target?: Readonly<Record<string, string | number>>
  readonly request?: Readonly<Record<string, string>>
}

/** The action that a change is; undefined for one of which no webhook tells: tags and single blobs that are deleted. */
export function actionOf({
  operation,
  digest,
  mediaType,
}: ContentChange): WebhookAction | undefined {
  switch (operation) {
    case 'Push':
    case 'Import':
      return 'push'
    case 'Delete':
    case 'PurgeManifest':
      // A repository has no digest, a blob no media type.
      return digest === undefined || mediaType !== undefined ? 'delete' : undefined
    default:
      return undefined
  }
}

/** `repository` alone is `repository:latest`, as the service has it. */
export function isInScope(
  { scope }: Pick<WebhookFacts, 'scope'>,
  { repository, tag, formerTags = [] }: ContentChange,
): boolean {
  if (scope === '') return true
  const [name, wanted = 'latest'] = scope.split(':')
  if (name !== repository) return false
  return wanted === '*' || tag === wanted || formerTags.includes(wanted)
}

export function eventOf(
  change: ContentChange,
  action: WebhookAction,
  occasion: Occasion,
  { id, now }: { readonly id: string; readonly now: Date },
): WebhookEvent {
  const { mediaType, size, digest, repository, tag } = change
  return {
    id,
    timestamp: now.toISOString(),
    action,
    target: {
      ...(mediaType !== undefined && { mediaType }),
      ...(action === 'push' && size !== undefined && { size }),
      ...(digest !== undefined && { digest }),
      ...(action === 'push' && size !== undefined && { length: size }),
      repository,
      ...(tag !== undefined && { tag }),
    },
    request: {
      id: occasion.correlationId,
      host: occasion.loginServer,
      method: occasion.method,
      useragent: occasion.userAgent,
    },
  }
}
