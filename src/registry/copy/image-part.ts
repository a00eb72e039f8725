import type { Digest } from '../../lib/digest.ts'
import type { ContentReader } from '../content/content-reader.ts'
import { isHere, type Manifest, parseManifest, withBlobsListed } from '../manifests/manifest.ts'
import type { Platform } from '../manifests/platform.ts'
import { ImageCopyError, type SourceImage } from './image-copy.ts'

/** One manifest of an image that is copied. */
export interface ImagePart {
  readonly digest: Digest
  readonly content: Uint8Array
  readonly manifest: Manifest
  readonly platform: Platform
  /** The blobs that come with it. */
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[]
}

/** What a registry of ours holds of an image: children first, as a push would bring them. @throws ImageCopyError */
export function partsHere(
  reader: ContentReader,
  registry: string,
  { repository, reference }: SourceImage,
): readonly ImagePart[] {
  const root =
    'tag' in reference
      ? reader.manifestByTag(registry, repository, reference.tag)
      : reader.manifestByDigest(registry, repository, reference.digest)
  if (!root) {
    const name =
      'tag' in reference ? `${repository}:${reference.tag}` : `${repository}@${reference.digest}`
    throw new ImageCopyError('source-unknown', `Image '${name}' was not found.`)
  }
  const parts: ImagePart[] = []
  const collect = ({ digest, content, mediaType, readEnabled }: typeof root): void => {
    if (!readEnabled) {
      throw new ImageCopyError(
        'source-not-allowed',
        `Image '${repository}@${digest}' may not be read: readEnabled is false for it, for its tag or for its repository.`,
      )
    }
    const manifest = withBlobsListed(
      parseManifest(content, mediaType),
      (entry) => reader.manifest(registry, repository, entry.digest) === undefined,
    )
    for (const child of manifest.manifests) {
      const stored = reader.manifestByDigest(registry, repository, child.digest)
      if (stored) collect(stored)
    }
    const row = reader.manifest(registry, repository, digest)
    const platform = {
      ...(row?.architecture && { architecture: row.architecture }),
      ...(row?.os && { os: row.os }),
    }
    const blobs = manifest.blobs.flatMap((blob) => {
      const size = reader.blobSize(registry, repository, blob.digest)
      if (size !== undefined) return [{ digest: blob.digest, size }]
      if (isHere(blob)) {
        throw new ImageCopyError(
          'source-unknown',
          `Image '${repository}@${digest}' lacks its part ${blob.digest}: it was deleted, or is damaged.`,
        )
      }
      return []
    })
    parts.push({ digest, content, manifest, platform, blobs })
  }
  collect(root)
  return parts
}
