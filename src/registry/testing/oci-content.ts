import { type Digest, type DigestAlgorithm, digestOf } from '../../lib/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'
import { type Answer, type Fixture, pushBlob } from './registry-fixture.ts'

/** What OCI 1.1 has for parts of which there is nothing to say. */
export const EMPTY = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: digestOf(Buffer.from('{}')),
  size: 2,
}

/** A digest that nothing has. */
export const MISSING = digestOf(Buffer.from('not there'))

export interface PushedManifest {
  readonly answer: Answer
  readonly body: string
  readonly digest: Digest
}

/** Puts a manifest, by its digest unless a reference is given. An object is written as JSON. */
export async function putManifest(
  registry: Fixture,
  repository: string,
  content: object | string,
  options: {
    readonly reference?: string
    readonly mediaType?: string
    readonly algorithm?: DigestAlgorithm
  } = {},
): Promise<PushedManifest> {
  const body = typeof content === 'string' ? content : JSON.stringify(content)
  const digest = digestOf(Buffer.from(body), options.algorithm)
  const reference = options.reference ?? digest
  const answer = await registry.send('PUT', `/v2/${repository}/manifests/${reference}`, {
    body,
    headers: { 'content-type': options.mediaType ?? OCI_MANIFEST },
  })
  return { answer, body, digest }
}

/** An artifact without content of its own: what it says is in its annotations. */
export const artifact = (fields: object = {}) => ({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: EMPTY,
  layers: [EMPTY],
  ...fields,
})

export const index = (manifests: readonly object[], fields: object = {}) => ({
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests,
  ...fields,
})

export const manifestDescriptor = ({ digest, body }: PushedManifest, mediaType = OCI_MANIFEST) => ({
  mediaType,
  digest,
  size: Buffer.byteLength(body),
})

/** Pushes an artifact with the empty blob that it is made of. */
export async function pushArtifact(
  registry: Fixture,
  repository: string,
  fields: object = {},
  reference?: string,
): Promise<PushedManifest> {
  await pushBlob(registry, repository, Buffer.from('{}'))
  const options = reference === undefined ? {} : { reference }
  return putManifest(registry, repository, artifact(fields), options)
}

/** Opens an upload and returns its location. */
export async function beginUpload(registry: Fixture, repository: string): Promise<string> {
  const begun = await registry.send('POST', `/v2/${repository}/blobs/uploads/`)
  return String(begun.headers.location)
}

/** A location with the digest that closes its upload. */
export const closing = (location: string, digest: Digest): string =>
  `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`

/** Makes names for repositories, so that tests that share a registry do not share what is in it. */
export function nameSource(): () => string {
  let count = 0
  return () => {
    count += 1
    return `app-${count}`
  }
}
