import type { Digest } from '../../lib/digest.ts'
import { createSlots } from '../../lib/slots.ts'
import type { ContentReader } from '../content/content-reader.ts'
import { ImageCopyError, type SourceImage } from '../copy/image-copy.ts'
import { parseManifest } from '../manifests/manifest.ts'
import type { CachedRepository, Fetched, Upstream } from './upstream.ts'

const BLOBS_AT_ONCE = 3

/**
 * Brings all of an image here, of which a cache has what was pulled: an index with every platform, before it is copied.
 *
 * @throws ImageCopyError
 */
export async function completeImage(
  { upstream, reader }: { readonly upstream: Upstream; readonly reader: ContentReader },
  from: CachedRepository,
  { reference }: SourceImage,
): Promise<void> {
  const { registry, repository } = from
  const inSlot = createSlots(BLOBS_AT_ONCE)
  const find = (wanted: SourceImage['reference']) =>
    'tag' in wanted
      ? reader.manifestByTag(registry, repository, wanted.tag)
      : reader.manifestByDigest(registry, repository, wanted.digest)

  async function bringBlob(digest: Digest): Promise<void> {
    if (reader.blobSize(registry, repository, digest) !== undefined) return
    const fetched = await upstream.blob(from, digest)
    if (fetched.kind !== 'arriving') return require(fetched)
    // There is never more than all of it, so this waits for the end.
    await upstream.arrived(fetched.id, fetched.size)
    if (reader.blobSize(registry, repository, digest) !== undefined) return
    throw new ImageCopyError('source-unreachable', `The blob ${digest} did not arrive.`)
  }

  async function bring(wanted: SourceImage['reference']): Promise<void> {
    if (!find(wanted)) require(await upstream.manifest(from, wanted))
    const found = find(wanted)
    if (!found) return
    const { manifests, blobs } = parseManifest(found.content, found.mediaType)
    for (const { digest } of manifests) await bring({ digest })
    await Promise.all(blobs.map(({ digest }) => inSlot(() => bringBlob(digest))))
  }

  await bring(reference)
}

function require(fetched: Fetched): void {
  if (fetched.kind === 'here') return
  if (fetched.kind === 'unknown') {
    throw new ImageCopyError('source-unknown', 'The image is not, or not any more, at its source.')
  }
  const { reason, message } = fetched
  throw new ImageCopyError(`source-${reason}`, message)
}
