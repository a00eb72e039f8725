import type { Kysely } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import type { Tables } from '../../storage/tables.ts'
import {
  type ManifestPush,
  type RegistryTransaction,
  type RepositoryKey,
  storeManifest,
} from '../content/content-writer.ts'
import type { Platform } from '../manifests/platform.ts'

/** Keeps what came from elsewhere; each call is one transaction. */
export interface CacheWriter {
  /**
   * Keeps a manifest, whether or not what it is made of is here; its tags lead to it, but for those that somebody has pushed
   * here: those stay where they are.
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

  return {
    keepManifest: (push) =>
      database.transaction().execute(async (transaction) => {
        const tags: string[] = []
        for (const tag of push.tags) {
          if (!(await isPushed(transaction, push, tag))) tags.push(tag)
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
