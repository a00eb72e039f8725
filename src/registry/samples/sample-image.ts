import { type Digest, digestOf } from '../../lib/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'
import { type Architecture, buildPrinter } from './tiny-elf.ts'
import { tarOfExecutable } from './ustar.ts'

const GREETING = `
Hello from Causeway!

That you can read this shows that a pull went all the way:
 1. the name of the registry led to an address where it listens for you,
 2. the registry knew who you are and let you read,
 3. this image came over layer by layer, each checked by its digest,
 4. your container engine unpacked it and ran the one program in it.

Through a private endpoint, not one packet of it crossed the public internet.
`

/** The day of the Unix epoch: the image is the same wherever and whenever it is made. */
const CREATED = '1970-01-01T00:00:00Z'

const CONFIG_MEDIA_TYPE = 'application/vnd.oci.image.config.v1+json'
// Not compressed: compressors differ from version to version, and the digests must not.
const LAYER_MEDIA_TYPE = 'application/vnd.oci.image.layer.v1.tar'

export interface SampleManifest {
  readonly digest: Digest
  readonly mediaType: string
  readonly content: Buffer
}

export interface SampleImage {
  readonly blobs: readonly Buffer[]
  /** The images first, the index that names them last. */
  readonly manifests: readonly SampleManifest[]
}

/** An index of two images, linux/amd64 and linux/arm64, that print a greeting. Always the same bytes. */
export function buildSampleImage(): SampleImage {
  const images = (['amd64', 'arm64'] as const).map(buildImage)
  const index = asManifest(OCI_INDEX, {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: images.map(({ architecture, manifest }) => ({
      mediaType: OCI_MANIFEST,
      digest: manifest.digest,
      size: manifest.content.length,
      platform: { architecture, os: 'linux' },
    })),
  })
  return {
    blobs: images.flatMap((image) => image.blobs),
    manifests: [...images.map((image) => image.manifest), index],
  }
}

function buildImage(architecture: Architecture) {
  const layer = tarOfExecutable('hello', buildPrinter(architecture, GREETING))
  const config = Buffer.from(
    JSON.stringify({
      created: CREATED,
      architecture,
      os: 'linux',
      config: { Cmd: ['/hello'], WorkingDir: '/' },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      history: [{ created: CREATED, created_by: 'Causeway' }],
    }),
  )
  const manifest = asManifest(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: CONFIG_MEDIA_TYPE, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: LAYER_MEDIA_TYPE, digest: digestOf(layer), size: layer.length }],
  })
  return { architecture, blobs: [config, layer], manifest }
}

function asManifest(mediaType: string, document: unknown): SampleManifest {
  const content = Buffer.from(JSON.stringify(document))
  return { mediaType, content, digest: digestOf(content) }
}
