import { digestOf } from '../../lib/digest.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { ContentReader } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { parseManifest } from '../manifests/manifest.ts'
import { readPlatform } from '../manifests/platform.ts'
import { buildSampleImage } from './sample-image.ts'
import { SAMPLE_REGISTRY, SAMPLE_REPOSITORIES, SAMPLE_TAGS } from './sample-registry.ts'

/** Puts the sample image into the built-in registry, where it is not there yet. */
export async function seedSamples(options: {
  readonly reader: ContentReader
  readonly writer: ContentWriter
  readonly blobs: BlobStore
}): Promise<void> {
  const { reader, writer, blobs } = options
  const registry = SAMPLE_REGISTRY.uid
  const image = buildSampleImage()
  const index = image.manifests.at(-1)
  const isSeeded = (repository: string) =>
    SAMPLE_TAGS.every(
      (tag) => reader.manifestByTag(registry, repository, tag)?.digest === index?.digest,
    )
  const lacking = SAMPLE_REPOSITORIES.filter((repository) => !isSeeded(repository))
  if (lacking.length === 0) return

  for (const repository of lacking) {
    const key = { registry, repository }
    for (const bytes of image.blobs) {
      const digest = digestOf(bytes)
      const upload = await blobs.begin(key)
      await upload.append(chunks(bytes))
      await upload.commit(digest, () => writer.linkBlob(key, digest, bytes.length))
    }
    for (const { mediaType, content, digest } of image.manifests) {
      const manifest = parseManifest(content, mediaType)
      const platform = await readPlatform(blobs, manifest)
      const tags = digest === index?.digest ? SAMPLE_TAGS : []
      await writer.putManifest({ ...key, digest, content, manifest, tags, platform })
    }
  }
}

async function* chunks(bytes: Buffer) {
  yield bytes
}
