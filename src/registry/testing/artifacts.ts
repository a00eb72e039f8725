import { type Digest, type DigestAlgorithm, digestOf } from '../../lib/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'

/** Content to push: blobs first, then the manifests in their order, the tag on the last of them. */
export interface Artifact {
  readonly blobs: ReadonlyMap<Digest, Buffer>
  readonly manifests: readonly {
    readonly digest: Digest
    readonly body: string
    readonly mediaType: string
    readonly fields: Fields
  }[]
}

export interface Fields {
  readonly mediaType: string
  readonly config?: { readonly mediaType: string }
  readonly subject?: { readonly digest: Digest }
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** Puts content together whose digests are all of one algorithm. */
export function createArtifact(algorithm: DigestAlgorithm = 'sha256') {
  const blobs = new Map<Digest, Buffer>()
  const manifests: Artifact['manifests'][number][] = []

  const blob = (mediaType: string, text: string, fields: object = {}) => {
    const bytes = Buffer.from(text)
    const digest = digestOf(bytes, algorithm)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length, ...fields }
  }

  const manifest = <T extends Fields>(fields: T) => {
    const body = JSON.stringify(fields)
    const digest = digestOf(Buffer.from(body), algorithm)
    const { mediaType } = fields
    manifests.push({ digest, body, mediaType, fields })
    return { mediaType, digest, size: Buffer.byteLength(body) }
  }

  return {
    artifact: { blobs, manifests } satisfies Artifact,
    blob,
    image: (name: string, fields: object = {}) =>
      manifest({
        mediaType: OCI_MANIFEST,
        config: blob(
          'application/vnd.oci.image.config.v1+json',
          JSON.stringify({ architecture: 'amd64', os: 'linux', name }),
        ),
        schemaVersion: 2,
        layers: [1, 2].map((layer) => blob('a/layer', `${name} ${layer}`)),
        ...fields,
      }),
    index: (entries: readonly object[], fields: object = {}) =>
      manifest({ mediaType: OCI_INDEX, schemaVersion: 2, manifests: entries, ...fields }),
  }
}
