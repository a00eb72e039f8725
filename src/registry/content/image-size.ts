import { isHere } from '../manifests/manifest.ts'
import type { RegistryTransaction } from './repository-key.ts'
import type { ManifestPush } from './store-manifest.ts'

/**
 * The bytes of a manifest, its blobs that are here and, of an index, the images that are there with theirs: the service was recorded
 * to count so.
 */
export async function sizeOfImage(
  transaction: RegistryTransaction,
  { registry, repository, content, manifest }: ManifestPush,
): Promise<number> {
  const size = manifest.blobs.filter(isHere).reduce((sum, blob) => sum + blob.size, content.length)
  if (manifest.manifests.length === 0) return size
  const digests = new Set(manifest.manifests.map(({ digest }) => digest))
  const images = await transaction
    .selectFrom('registry_manifests')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('digest', 'in', [...digests])
    .select('image_size')
    .execute()
  return images.reduce((sum, { image_size }) => sum + image_size, size)
}
