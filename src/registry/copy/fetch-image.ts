import { algorithmOf, type Digest, digestOf } from '../../lib/digest.ts'
import { createSlots } from '../../lib/slots.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { ContentReader } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { OciError } from '../http/oci-error.ts'
import {
  type Descriptor,
  MANIFEST_MEDIA_TYPES,
  type Manifest,
  parseManifest,
  withBlobsListed,
} from '../manifests/manifest.ts'
import { readPlatform } from '../manifests/platform.ts'
import type { Outside } from '../outside.ts'
import { fetchBlob } from './fetch-blob.ts'
import {
  type CopyErrand,
  type CopyTarget,
  ImageCopyError,
  type RemoteSource,
  type SourceImage,
} from './image-copy.ts'
import type { ImagePart } from './image-part.ts'
import { openRemoteRepository, type RemoteRepository } from './remote-registry.ts'
import { tryAgain } from './try-again.ts'

const AT_ONCE = 3
/** Far above what indexes of today name, nested ones included. */
const MANIFESTS_MAX = 500

export interface FetchPorts {
  readonly outside: Outside
  readonly blobs: BlobStore
  readonly reader: ContentReader
  readonly writer: ContentWriter
  /** Between tries, in milliseconds. */
  readonly pauses: readonly number[]
}

/** How far a copy is. */
export interface CopyProgress {
  /** Once its manifests are known: what is still to come. */
  expect(blobs: number, bytes: number): void
  arrived(bytes: number): void
}

export interface ImageFetch {
  readonly from: RemoteSource
  readonly image: SourceImage
  /** The registry that gets it, by uid. */
  readonly registry: string
  readonly targets: readonly CopyTarget[]
  readonly errand: CopyErrand
  readonly progress: CopyProgress
}

/**
 * Fetches an image from elsewhere, an index with every platform it names. Its layers become blobs of the first target,
 * as a push would leave them before its manifest comes; layers that a target has are not fetched.
 *
 * @throws ImageCopyError, and what `errand.signal` was aborted with
 */
export async function fetchImage(
  ports: FetchPorts,
  { from, image, registry, targets, errand, progress }: ImageFetch,
): Promise<readonly ImagePart[]> {
  const { blobs, reader, writer, outside, pauses } = ports
  const failed = new AbortController()
  const signals = [failed.signal, ...(errand.signal ? [errand.signal] : [])]
  const remote = openRemoteRepository(
    outside,
    { ...from, repository: image.repository },
    { ...errand, signal: AbortSignal.any(signals) },
  )
  const askFor = (reference: string) =>
    tryAgain(() => remote.manifest(reference), { pauses, hopes: ['yes'], signal: errand.signal })
  const manifests = await fetchManifests(askFor, image).catch((error) => {
    errand.signal?.throwIfAborted()
    throw error
  })
  const wanted = new Map<Digest, Descriptor>()
  for (const { manifest } of manifests) {
    for (const blob of manifest.blobs) if (!blob.isElsewhere) wanted.set(blob.digest, blob)
  }
  const repository = targets[0]?.repository ?? image.repository
  const sizeHere = (digest: Digest) =>
    targets
      .map((target) => reader.blobSize(registry, target.repository, digest))
      .find((size) => size !== undefined)

  const lacking = [...wanted.values()].filter(({ digest }) => sizeHere(digest) === undefined)
  progress.expect(
    lacking.length,
    lacking.reduce((sum, { size }) => sum + size, 0),
  )
  const owner = { registry, repository }
  const inSlot = createSlots(AT_ONCE)
  const fetches = lacking.map((blob) =>
    inSlot(async () => {
      failed.signal.throwIfAborted()
      const link = () => writer.linkBlob(owner, blob.digest, blob.size)
      const signal = AbortSignal.any(signals)
      await fetchBlob(remote, blobs, { owner, blob, link, pauses, signal })
      progress.arrived(blob.size)
    }).catch((error) => {
      failed.abort(error)
      throw error
    }),
  )
  // All of them come to an end before one's failure is told: nothing goes on behind the caller's back.
  await Promise.allSettled(fetches)
  errand.signal?.throwIfAborted()
  failed.signal.throwIfAborted()
  return Promise.all(
    manifests.map(async (each) => ({
      ...each,
      blobs: each.manifest.blobs
        .filter(({ digest }) => wanted.has(digest))
        .map(({ digest, size }) => ({ digest, size: sizeHere(digest) ?? size })),
      platform: await readPlatform(blobs, each.manifest),
    })),
  )
}

interface FetchedManifest {
  readonly digest: Digest
  readonly content: Buffer
  readonly manifest: Manifest
}

/** The manifest that is asked for and all below it, children first, each once. */
async function fetchManifests(
  askFor: RemoteRepository['manifest'],
  { reference }: SourceImage,
): Promise<readonly FetchedManifest[]> {
  const found = new Map<Digest, FetchedManifest>()
  let asked = 0

  async function collect(expected: Digest | undefined, name: string): Promise<void> {
    if (expected && found.has(expected)) return
    asked += 1
    if (asked > MANIFESTS_MAX) throw invalid(`it names more than ${MANIFESTS_MAX} manifests`)
    const { content, mediaType } = await askFor(name)
    const digest = digestOf(content, expected && algorithmOf(expected))
    if (expected && digest !== expected) throw invalid(`its manifest ${expected} has other bytes`)
    const manifest = withBlobsListed(
      parse(content, mediaType),
      (entry) => !MANIFEST_MEDIA_TYPES.includes(entry.mediaType),
    )
    for (const child of manifest.manifests) await collect(child.digest, child.digest)
    // After its children, which no manifest can be itself: its digest would have to be known before it is made.
    found.set(digest, { digest, content, manifest })
  }

  if ('digest' in reference) await collect(reference.digest, reference.digest)
  else await collect(undefined, reference.tag)
  return [...found.values()]
}

function parse(content: Buffer, mediaType: string | undefined): Manifest {
  try {
    return parseManifest(content, mediaType)
  } catch (error) {
    if (!(error instanceof OciError)) throw error
    throw invalid(typeof error.detail === 'string' ? error.detail : error.message, error)
  }
}

const invalid = (reason: string, cause?: unknown): ImageCopyError =>
  new ImageCopyError('source-invalid', `The image cannot be taken: ${reason}.`, { cause })
