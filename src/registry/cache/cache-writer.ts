import type { Kysely } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import type { Tables } from '../../storage/tables.ts'
import { requirePushable } from '../content/locks.ts'
import type { RegistryTransaction, RepositoryKey } from '../content/repository-key.ts'
import { type ManifestPush, storeManifest } from '../content/store-manifest.ts'
import { OciError } from '../http/oci-error.ts'
import type { Platform } from '../manifests/platform.ts'

/** Keeps what came from elsewhere; each call is one transaction. */
export interface CacheWriter {
  /**
   * Keeps a manifest, whether or not what it is made of is here; its tags lead to it, but for those that somebody has pushed
   * here, and those that a lock or a policy holds: those stay where they are. Nothing is kept in a locked repository.
   */
  keepManifest(push: ManifestPush): Promise<void>
  /** Notes that a tag was looked after just now. */
  confirmTag(key: RepositoryKey, tag: string, digest: Digest): Promise<void>
  /** Notes for which platform an image is, known only when its config has come. */
  describeImage(key: RepositoryKey, digest: Digest, platform: Platform): Promise<void>
}

export function createCacheWriter(database: Kysely<Tables>, clock: Clock): CacheWriter {
  const mark = async (
    transaction: RegistryTransaction,
    { registry, repository }: RepositoryKey,
    name: string,
    digest: Digest,
  ): Promise<void> => {
    const checked_at = clock.now().toISOString()
    await transaction
      .insertInto('registry_upstream_tags')
      .values({ registry, repository, name, digest, checked_at })
      .onConflict((conflict) =>
        conflict.columns(['registry', 'repository', 'name']).doUpdateSet({ digest, checked_at }),
      )
      .execute()
  }

  /** Of a tag that is held where it is: that it was looked after. */
  const notice = async (
    transaction: RegistryTransaction,
    { registry, repository }: RepositoryKey,
    name: string,
  ): Promise<void> => {
    await transaction
      .updateTable('registry_upstream_tags')
      .set({ checked_at: clock.now().toISOString() })
      .where('registry', '=', registry)
      .where('repository', '=', repository)
      .where('name', '=', name)
      .execute()
  }

  return {
    keepManifest: (push) =>
      database.transaction().execute(async (transaction) => {
        if (!(await isAllowed(transaction, { ...push, tags: [] }))) return
        const tags: string[] = []
        for (const tag of push.tags) {
          if (await isPushed(transaction, push, tag)) continue
          if (await isAllowed(transaction, { ...push, tags: [tag] })) tags.push(tag)
          else await notice(transaction, push, tag)
        }
        await storeManifest(transaction, clock, { ...push, tags })
        for (const tag of tags) await mark(transaction, push, tag, push.digest)
      }),

    confirmTag: (key, tag, digest) =>
      database.transaction().execute((transaction) => mark(transaction, key, tag, digest)),

    async describeImage({ registry, repository }, digest, { architecture, os }) {
      await database
        .updateTable('registry_manifests')
        .set({ architecture: architecture ?? null, os: os ?? null })
        .where('registry', '=', registry)
        .where('repository', '=', repository)
        .where('digest', '=', digest)
        .execute()
    },
  }
}

/** Whether neither a lock nor a policy keeps a manifest, or its tags, from being written. */
async function isAllowed(transaction: RegistryTransaction, push: ManifestPush): Promise<boolean> {
  try {
    await requirePushable(transaction, push)
    return true
  } catch (error) {
    if (error instanceof OciError) return false
    throw error
  }
}

/** Whether a tag leads elsewhere than it did when it last came from there. */
async function isPushed(
  transaction: RegistryTransaction,
  { registry, repository }: RepositoryKey,
  name: string,
): Promise<boolean> {
  const tag = await transaction
    .selectFrom('registry_tags as tag')
    .leftJoin('registry_upstream_tags as upstream', (join) =>
      join
        .onRef('upstream.registry', '=', 'tag.registry')
        .onRef('upstream.repository', '=', 'tag.repository')
        .onRef('upstream.name', '=', 'tag.name'),
    )
    .where('tag.registry', '=', registry)
    .where('tag.repository', '=', repository)
    .where('tag.name', '=', name)
    .select(['tag.digest', 'upstream.digest as upstreamDigest'])
    .executeTakeFirst()
  return tag !== undefined && tag.digest !== tag.upstreamDigest
}
