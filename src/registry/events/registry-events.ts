import type { RegistryTransaction } from '../content/repository-key.ts'
import type { Occasion } from './occasion.ts'

/**
 * What is done to a repository, in the service's words where it has them:
 * https://learn.microsoft.com/azure/container-registry/monitor-service. A purge is made by a policy, not by a client.
 */
export type RepositoryOperation =
  | 'Pull'
  | 'Push'
  | 'Import'
  | 'Delete'
  | 'Untag'
  | 'Update'
  | 'PurgeTag'
  | 'PurgeManifest'

export interface ManifestFacts {
  readonly digest: string
  readonly mediaType: string
  readonly artifactType?: string
  /** Bytes of the manifest itself. */
  readonly size: number
}

/** One entry of the audit trail. */
export interface AuditEvent extends Partial<ManifestFacts> {
  readonly table: 'login' | 'repository'
  readonly occasion: Occasion
  readonly operation: RepositoryOperation | 'Login'
  /** Of the answer. */
  readonly status: number
  /** The code of the refusal. */
  readonly errorCode?: string
  readonly durationMs: number
  readonly repository?: string
  readonly tag?: string
}

/** What the plane tells of requests that changed nothing; owned by registry, implemented by the audit trail. Plain data. */
export interface RegistryEvents {
  /** Returns at once; the event is on disk within a second. */
  note(event: AuditEvent): void
}

/** A change of what a repository holds. */
export interface ContentChange extends Partial<ManifestFacts> {
  readonly operation: RepositoryOperation
  /** Of the answer that is about to be given. */
  readonly status: number
  /** The registry's uid. */
  readonly registry: string
  readonly repository: string
  readonly tag?: string
  /** The tags that led to what is gone. */
  readonly formerTags?: readonly string[]
}

/** Who keeps changes; owned by registry, implemented by the audit trail and the queue of webhooks. */
export interface ChangeRecorder {
  /** In the transaction that makes the change: what is acknowledged is recorded. */
  record(
    transaction: RegistryTransaction,
    changes: readonly ContentChange[],
    occasion: Occasion,
  ): Promise<void>
}

/** For those to whom nobody listens. */
export const NO_EVENTS: RegistryEvents = { note: () => {} }
export const NO_RECORDER: ChangeRecorder = { record: async () => {} }
