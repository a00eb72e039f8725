import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import { OciError } from '../http/oci-error.ts'
import { isHere, type Manifest, withBlobsListed } from '../manifests/manifest.ts'
import { endReviews } from './blob-queues.ts'
import type { TagPush } from './first-push-wins.ts'
import { sizeOfImage } from './image-size.ts'
import type { RegistryTransaction } from './repository-key.ts'
import { touchRepository } from './touch-repository.ts'
import { forgetUntagged, noteIfUntagged } from './untagged.ts'

export interface ManifestPush extends TagPush {
  readonly digest: Digest
  readonly content: Uint8Array
  readonly manifest: Manifest
  readonly platform: { readonly architecture?: string; readonly os?: string }
}

/**
 * The manifest with its parts told apart by what they are here: an index may list blobs.
 *
 * @throws OciError MANIFEST_BLOB_UNKNOWN
 */
export async function checkReferences(
  transaction: RegistryTransaction,
  { registry, repository, manifest }: ManifestPush,
): Promise<Manifest> {
  const missing = async (
    table: 'registry_blob_links' | 'registry_manifests',
    digests: readonly Digest[],
  ): Promise<readonly Digest[]> => {
    if (digests.length === 0) return []
    const rows = await transaction
      .selectFrom(table)
      .where('registry', '=', registry)
      .where('repository', '=', repository)
      .where('digest', 'in', digests)
      .select('digest')
      .execute()
    const present = new Set<string>(rows.map((row) => row.digest))
    return digests.filter((digest) => !present.has(digest))
  }
  const noManifests = await missing(
    'registry_manifests',
    distinct(manifest.manifests.filter(isHere)),
  )
  const needed = [...distinct(manifest.blobs.filter(isHere)), ...noManifests]
  const [lacking] = await missing('registry_blob_links', needed)
  if (lacking) throw new OciError('MANIFEST_BLOB_UNKNOWN', { digest: lacking })
  return withBlobsListed(manifest, ({ digest }) => noManifests.includes(digest))
}

/** Stores a manifest whose parts are there, with its repository and tags. */
export async function storeManifest(
  transaction: RegistryTransaction,
  clock: Clock,
  push: ManifestPush,
): Promise<void> {
  const { registry, repository, digest, manifest, content, platform } = push
  const now = clock.now().toISOString()
  await touchRepository(transaction, clock, push)
  const size = await sizeOfImage(transaction, push)
  await transaction
    .insertInto('registry_manifests')
    .values({
      registry,
      repository,
      digest,
      media_type: manifest.mediaType,
      config_media_type: manifest.config?.mediaType ?? null,
      artifact_type: manifest.artifactType ?? null,
      subject: manifest.subject ?? null,
      architecture: platform.architecture ?? null,
      os: platform.os ?? null,
      image_size: size,
      content,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['registry', 'repository', 'digest'])
        // The same bytes may be pushed again as another media type.
        .doUpdateSet({ media_type: manifest.mediaType, updated_at: now }),
    )
    .execute()
  const blobs = distinct(manifest.blobs)
  const children = [
    ...blobs.map((child) => ({ child, child_kind: 'blob' as const })),
    ...distinct(manifest.manifests).map((child) => ({ child, child_kind: 'manifest' as const })),
  ]
  if (children.length > 0) {
    await transaction
      .insertInto('registry_manifest_references')
      .values(children.map((child) => ({ registry, repository, digest, ...child })))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    await endReviews(transaction, push, blobs)
  }
  for (const name of push.tags) {
    const before = await transaction
      .selectFrom('registry_tags')
      .where('registry', '=', registry)
      .where('repository', '=', repository)
      .where('name', '=', name)
      .select('digest')
      .executeTakeFirst()
    await transaction
      .insertInto('registry_tags')
      .values({ registry, repository, name, digest, created_at: now, updated_at: now })
      .onConflict((conflict) =>
        conflict
          .columns(['registry', 'repository', 'name'])
          .doUpdateSet({ digest, updated_at: now }),
      )
      .execute()
    if (before && before.digest !== digest) {
      await noteIfUntagged(transaction, push, before.digest, now)
    }
  }
  if (push.tags.length > 0) await forgetUntagged(transaction, push, digest)
  else await noteIfUntagged(transaction, push, digest, now)
}

const distinct = (descriptors: readonly { readonly digest: Digest }[]): readonly Digest[] => [
  ...new Set(descriptors.map((each) => each.digest)),
]
