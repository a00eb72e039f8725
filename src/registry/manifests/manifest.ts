import { type Digest, isDigest } from '../../lib/digest.ts'
import { OciError } from '../http/oci-error.ts'

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
/** Of release candidates of OCI 1.1; withdrawn since, and still pushed. */
export const OCI_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'

const IMAGES: readonly string[] = [OCI_MANIFEST, DOCKER_MANIFEST]
const INDEXES: readonly string[] = [OCI_INDEX, DOCKER_LIST]
/** What this registry takes. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [...IMAGES, ...INDEXES, OCI_ARTIFACT]

export const MANIFEST_BYTES_MAX = 4 * 1024 * 1024
/** Far above what images have, and few enough for one statement of the database. */
const PARTS_MAX = 4000
/** Far above what layers have, and small enough that the sum of all parts is a safe integer. */
const PART_BYTES_MAX = 2 ** 40

export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** In bytes. */
  readonly size: number
  /** It may not be distributed: clients fetch it from where its `urls` say, so it need not be here. */
  readonly isElsewhere?: true
}

/** What the registry needs to know of a manifest. */
export interface Manifest {
  readonly mediaType: string
  readonly config?: Descriptor
  /** Config and layers: there before the manifest is, unless they are elsewhere. */
  readonly blobs: readonly Descriptor[]
  /** What an index lists, likewise. Some list blobs: BuildKit keeps its cache in an index of layers. */
  readonly manifests: readonly Descriptor[]
  readonly subject?: Digest
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Parses a manifest of the media types that clients push today.
 *
 * @throws OciError MANIFEST_INVALID
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): Manifest {
  const body = parseObject(bytes)
  const stated = contentType?.split(';')[0]?.trim()
  const mediaType = stated || textOf(body, 'mediaType') || OCI_MANIFEST
  if (!MANIFEST_MEDIA_TYPES.includes(mediaType)) {
    throw invalid(`the media type '${mediaType}' is not a manifest that this registry takes`)
  }
  // https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
  const own = textOf(body, 'mediaType')
  if (own !== undefined && own !== mediaType) {
    throw invalid(`the body says mediaType '${own}', the request '${mediaType}'`)
  }
  if (mediaType !== OCI_ARTIFACT && body.schemaVersion !== 2) {
    throw invalid('schemaVersion must be 2')
  }
  // Read as either by different clients, it would be two images: https://github.com/advisories/GHSA-77vh-xpmg-72qh
  const isIndex = INDEXES.includes(mediaType)
  for (const name of isIndex ? ['config', 'layers'] : ['manifests']) {
    if (name in body) throw invalid(`a manifest of the media type '${mediaType}' has no ${name}`)
  }
  const subject = body.subject == null ? undefined : descriptor(body.subject, 'subject').digest
  const artifactType = textOf(body, 'artifactType')
  const annotations = annotationsOf(body)
  const common = {
    mediaType,
    ...(subject && { subject }),
    ...(annotations && { annotations }),
  }
  if (isIndex) {
    const manifests = descriptors(body, 'manifests', 'required')
    return { ...common, blobs: [], manifests, ...(artifactType && { artifactType }) }
  }
  if (mediaType === OCI_ARTIFACT) {
    const blobs = descriptors(body, 'blobs', 'optional')
    return { ...common, blobs, manifests: [], ...(artifactType && { artifactType }) }
  }
  const config = descriptor(body.config, 'config')
  return {
    ...common,
    config,
    blobs: [config, ...descriptors(body, 'layers', 'required')],
    manifests: [],
    // https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
    artifactType: artifactType ?? config.mediaType,
  }
}

/** The manifest of an index some of whose entries are blobs here, not manifests. */
export function withBlobsListed(
  manifest: Manifest,
  isBlob: (entry: Descriptor) => boolean,
): Manifest {
  const listed = manifest.manifests.filter(isBlob)
  if (listed.length === 0) return manifest
  return {
    ...manifest,
    blobs: [...manifest.blobs, ...listed],
    manifests: manifest.manifests.filter((entry) => !listed.includes(entry)),
  }
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let body: unknown
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new OciError('MANIFEST_INVALID', 'the body is not JSON', { cause: error })
  }
  if (!isObject(body)) throw invalid('the body is not an object')
  return body
}

function descriptors(
  body: Record<string, unknown>,
  name: string,
  presence: 'required' | 'optional',
): readonly Descriptor[] {
  const list = body[name]
  if (list === undefined && presence === 'optional') return []
  if (!Array.isArray(list)) throw invalid(`${name} must be a list`)
  if (list.length > PARTS_MAX) throw invalid(`${name} has more than ${PARTS_MAX} entries`)
  return list.map((item, index) => descriptor(item, `${name}[${index}]`))
}

function descriptor(value: unknown, path: string): Descriptor {
  if (!isObject(value)) throw invalid(`${path} must be a descriptor`)
  const { mediaType, digest, size, urls } = value
  if (typeof mediaType !== 'string') throw invalid(`${path}.mediaType must be a text`)
  if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(`${path}.digest is no digest`)
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > PART_BYTES_MAX) {
    throw invalid(`${path}.size must be a whole number up to ${PART_BYTES_MAX}`)
  }
  const isElsewhere = Array.isArray(urls) && urls.length > 0
  return { mediaType, digest, size, ...(isElsewhere && { isElsewhere }) }
}

function annotationsOf(body: Record<string, unknown>): Record<string, string> | undefined {
  const { annotations } = body
  if (annotations === undefined || annotations === null) return undefined
  if (!isObject(annotations)) throw invalid('annotations must be an object')
  const entries = Object.entries(annotations)
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  if (texts.length < entries.length) throw invalid('annotations must be texts')
  return Object.fromEntries(texts)
}

/** Whether the registry has to have it: a layer may be somewhere else. */
export const isHere = ({ isElsewhere }: Descriptor): boolean => !isElsewhere

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function textOf(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw invalid(`${name} must be a text`)
  return value
}

const invalid = (reason: string): OciError => new OciError('MANIFEST_INVALID', reason)
