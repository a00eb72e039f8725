import { OciError } from '../http/oci-error.ts'
import type { RegistryTransaction, RepositoryKey } from './repository-key.ts'

/** A manifest that is to have these tags. */
export interface TagPush extends RepositoryKey {
  readonly digest: string
  readonly tags: readonly string[]
  /** Tags that are on another manifest already are not moved: the first push wins. */
  readonly keepsTags?: boolean
}

/** Whether a repository is one of those that the patterns name: by its name, or by how it begins, before a `*`. */
export const isNamedBy = (patterns: readonly string[], repository: string): boolean =>
  patterns.some((pattern) =>
    pattern.endsWith('*') ? repository.startsWith(pattern.slice(0, -1)) : repository === pattern,
  )

/**
 * Refuses to move a tag, where the registry keeps tags on what was pushed first. The service has no such policy
 * (https://github.com/Azure/acr/issues/616): its users ask for a 409, and clients show a `DENIED` with its message.
 */
export async function requireFirstPush(
  transaction: RegistryTransaction,
  { registry, repository, digest, tags, keepsTags }: TagPush,
): Promise<void> {
  if (!keepsTags || tags.length === 0) return
  const taken = await transaction
    .selectFrom('registry_tags')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('name', 'in', tags)
    .where('digest', '!=', digest)
    .select(['name', 'digest'])
    .executeTakeFirst()
  if (!taken) return
  const { name: tag, digest: first } = taken
  throw new OciError(
    'TAG_STAYS',
    { name: repository, tag, digest: first },
    {
      message: `tag '${tag}' of '${repository}' stays on ${first}, which was pushed first; push under another tag`,
    },
  )
}
