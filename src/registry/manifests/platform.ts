import type { BlobStore } from '../../storage/blob-store.ts'
import { readBytes } from '../blobs/read-bytes.ts'
import type { Manifest } from './manifest.ts'

export interface Platform {
  readonly architecture?: string
  readonly os?: string
}

/** Image configs are a few kilobytes; anything much larger is something else. */
const CONFIG_BYTES_MAX = 1 << 20

const CONFIG_MEDIA_TYPES: readonly string[] = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]

/** What an image's config says of where it runs. Nothing for what is no image or says nothing. */
export async function readPlatform(
  blobs: BlobStore,
  { config }: Pick<Manifest, 'config'>,
): Promise<Platform> {
  if (!config || config.size > CONFIG_BYTES_MAX || !CONFIG_MEDIA_TYPES.includes(config.mediaType)) {
    return {}
  }
  const blob = await blobs.open(config.digest)
  if (!blob) return {}
  try {
    return parsePlatform((await readBytes(blob, { start: 0, end: config.size })).toString())
  } finally {
    await blob.close()
  }
}

function parsePlatform(text: string): Platform {
  try {
    const { architecture, os } = JSON.parse(text) as Record<string, unknown>
    return {
      ...(typeof architecture === 'string' && { architecture }),
      ...(typeof os === 'string' && { os }),
    }
  } catch {
    return {}
  }
}
