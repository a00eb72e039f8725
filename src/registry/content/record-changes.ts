import type { Occasion } from '../events/occasion.ts'
import type { ChangeRecorder, ContentChange, ManifestFacts } from '../events/registry-events.ts'
import type { RegistryTransaction, RepositoryKey } from './repository-key.ts'
import type { ManifestPush } from './store-manifest.ts'

/** A manifest that is about to go, and what led to it. */
export type Departing = ManifestFacts & { readonly formerTags: readonly string[] }

/** Tells a recorder of changes in their own transaction. Those that no request asked for are not told of. */
export interface ChangeTeller {
  /** A manifest that was stored: once for each of its tags, or once where it has none. */
  pushed(
    transaction: RegistryTransaction,
    push: ManifestPush,
    operation: 'Push' | 'Import',
    occasion: Occasion | undefined,
  ): Promise<void>
  told(
    transaction: RegistryTransaction,
    change: ContentChange,
    occasion: Occasion | undefined,
  ): Promise<void>
}

export const createChangeTeller = (recorder: ChangeRecorder): ChangeTeller => ({
  async pushed(transaction, push, operation, occasion) {
    if (!occasion) return
    const { registry, repository, digest, manifest, content, tags } = push
    const change: ContentChange = {
      operation,
      status: operation === 'Push' ? 201 : 200,
      registry,
      repository,
      digest,
      mediaType: manifest.mediaType,
      ...(manifest.artifactType && { artifactType: manifest.artifactType }),
      size: content.length,
    }
    const changes = tags.length === 0 ? [change] : tags.map((tag) => ({ ...change, tag }))
    await recorder.record(transaction, changes, occasion)
  },

  async told(transaction, change, occasion) {
    if (occasion) await recorder.record(transaction, [change], occasion)
  },
})

/** What a manifest is, before it goes; undefined where none is. */
export async function departing(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  digest: string,
): Promise<Departing | undefined> {
  const row = await transaction
    .selectFrom('registry_manifests')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .select(['media_type', 'artifact_type', 'content'])
    .executeTakeFirst()
  if (!row) return undefined
  const tags = await transaction
    .selectFrom('registry_tags')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .select('name')
    .orderBy('name')
    .execute()
  return {
    digest,
    mediaType: row.media_type,
    ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
    size: row.content.length,
    formerTags: tags.map(({ name }) => name),
  }
}

/** What a tag leads to; undefined where it is none. */
export async function digestOfTag(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  tag: string,
): Promise<string | undefined> {
  const row = await transaction
    .selectFrom('registry_tags')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('name', '=', tag)
    .select('digest')
    .executeTakeFirst()
  return row?.digest
}
