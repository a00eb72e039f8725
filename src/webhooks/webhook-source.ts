/** What a webhook may be told of. Charts of Helm 2 and quarantine are not kept here, so nothing tells of those. */
export type WebhookAction = 'push' | 'delete' | 'quarantine' | 'chart_push' | 'chart_delete'

/** A webhook as far as changes go. */
export interface WebhookFacts {
  /** Stays with this very webhook; another of the same name later has another. */
  readonly uid: string
  readonly isEnabled: boolean
  /** Empty, `repository`, `repository:tag` or `repository:*`. */
  readonly scope: string
  readonly actions: readonly WebhookAction[]
}

/** Where a webhook is told, and what with. */
export interface Callback {
  readonly serviceUri: string
  readonly customHeaders: Readonly<Record<string, string>>
  /** Key of the signature. */
  readonly signingSecret: string
}

/** What the queue needs to know of webhooks; owned by webhooks, implemented by providers. In memory. */
export interface WebhookSource {
  /** By a registry's uid. */
  ofRegistry(registryUid: string): readonly WebhookFacts[]
  /** Undefined where the webhook is no more. */
  callbackOf(uid: string): Callback | undefined
  uids(): readonly string[]
}
