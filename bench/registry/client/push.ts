import { digestOf } from '../../../src/lib/digest.ts'
import type { PushMode } from '../job.ts'
import type { Session } from './session.ts'

const MEBIBYTE = 2 ** 20
/** The chunks of https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks. */
const CHUNK_BYTES = 8 * MEBIBYTE
/** What Docker Engine hands to the connection at a time. */
const STREAMED_BYTES = 32 * 1024

type Push = (session: Session, repository: string, blob: Buffer, digest: string) => Promise<void>

/** The three ways in which clients push a blob. */
export const PUSHES: Readonly<Record<PushMode, Push>> = {
  /** POST, then all of it in one PUT, as containerd and skopeo do. */
  async monolithic(session, repository, blob, digest) {
    const location = await begin(session, repository)
    await session.call(repository, 201, 'PUT', withDigest(location, digest), {
      headers: lengthOf(blob),
      parts: slices(blob, MEBIBYTE),
    })
  },

  /** POST, a PATCH for each chunk with its range, and an empty PUT. */
  async chunked(session, repository, blob, digest) {
    let location = await begin(session, repository)
    let start = 0
    for (const chunk of slices(blob, CHUNK_BYTES)) {
      const range = `${start}-${start + chunk.length - 1}`
      const answer = await session.call(repository, 202, 'PATCH', location, {
        headers: { ...lengthOf(chunk), 'content-range': range },
        parts: slices(chunk, MEBIBYTE),
      })
      location = locationOf(answer.headers)
      start += chunk.length
    }
    await end(session, repository, location, digest)
  },

  /** POST, one PATCH of unstated length, and an empty PUT, as Docker Engine does. */
  async streamed(session, repository, blob, digest) {
    const location = await begin(session, repository)
    const answer = await session.call(repository, 202, 'PATCH', location, {
      headers: { 'content-type': 'application/octet-stream' },
      parts: slices(blob, STREAMED_BYTES),
    })
    await end(session, repository, locationOf(answer.headers), digest)
  },
}

async function begin(session: Session, repository: string): Promise<string> {
  const url = `/v2/${repository}/blobs/uploads/`
  const answer = await session.call(repository, 202, 'POST', url, {
    headers: { 'content-length': '0' },
  })
  return locationOf(answer.headers)
}

async function end(session: Session, repository: string, location: string, digest: string) {
  await session.call(repository, 201, 'PUT', withDigest(location, digest), {
    headers: { 'content-length': '0' },
  })
}

export interface SmallImage {
  readonly blobs: readonly { readonly bytes: Buffer; readonly digest: string }[]
  readonly manifest: Buffer
}

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'

/** An image of these layers with a config that no other image has. */
export function makeImage(layers: readonly Buffer[]): SmallImage {
  const rootfs = { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) }
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }))
  const describe = (type: string, bytes: Buffer) => ({
    mediaType: `application/vnd.oci.image.${type}`,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: describe('config.v1+json', config),
    layers: layers.map((layer) => describe('layer.v1.tar', layer)),
  }
  return {
    blobs: [...layers, config].map((bytes) => ({ bytes, digest: digestOf(bytes) })),
    manifest: Buffer.from(JSON.stringify(manifest)),
  }
}

/** As clients push: each blob is asked for first. */
export async function pushImage(
  session: Session,
  repository: string,
  tag: string,
  { blobs, manifest }: SmallImage,
): Promise<void> {
  for (const { bytes, digest } of blobs) {
    await session.call(repository, 404, 'HEAD', `/v2/${repository}/blobs/${digest}`)
    await PUSHES.monolithic(session, repository, bytes, digest)
  }
  await session.call(repository, 201, 'PUT', `/v2/${repository}/manifests/${tag}`, {
    headers: { 'content-type': MANIFEST_TYPE, 'content-length': String(manifest.length) },
    body: manifest,
  })
}

const lengthOf = (bytes: Buffer): Record<string, string> => ({
  'content-type': 'application/octet-stream',
  'content-length': String(bytes.length),
})

const locationOf = (headers: { readonly location?: string | undefined }): string => {
  if (headers.location === undefined) throw new Error('an answer without a location')
  return headers.location
}

const withDigest = (location: string, digest: string): string =>
  `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}
