import { algorithmOf, type Digest } from '../../lib/digest.ts'
import type { BlobStore, BlobUpload, UploadOwner } from '../../storage/blob-store.ts'
import { ImageCopyError } from './image-copy.ts'
import type { RemoteRepository } from './remote-registry.ts'
import { tryAgain } from './try-again.ts'

/** A try that brings as much as this is a good one, after which all tries are there again. */
const PROGRESS_BYTES = 8 << 20

export interface BlobFetch {
  /** Where it arrives. It is no part of the repository before it is linked. */
  readonly owner: UploadOwner
  readonly blob: { readonly digest: Digest; readonly size: number }
  /** Lets the repository see it. False where it is removed again: then it is stored once more. */
  readonly link: () => Promise<boolean>
  readonly pauses: readonly number[]
  readonly signal?: AbortSignal | undefined
  /** The source has it, and its bytes begin to come. Called once. */
  readonly begun?: (upload: BlobUpload) => void
  /** With each piece, when those before it may be in the store. */
  readonly progressed?: () => void
}

/**
 * Fetches a blob into the store. A download that breaks off goes on where it broke, a bounded number of times; what is
 * not whole in the end, or has another digest, leaves nothing.
 *
 * @throws ImageCopyError, StorageFull, and what `signal` was aborted with
 */
export async function fetchBlob(
  remote: RemoteRepository,
  blobs: BlobStore,
  { owner, blob: { digest, size }, link, pauses, signal, begun, progressed }: BlobFetch,
): Promise<void> {
  const upload = await blobs.begin(owner)
  let before = 0
  let hasBegun = false
  const arrive = async (): Promise<void> => {
    before = upload.received
    // Broken off after its last byte.
    if (hasBegun && before === size) return
    const bytes = await remote.blob(digest, size, before)
    if (!hasBegun) begun?.(upload)
    hasBegun = true
    await upload.append(progressed ? telling(bytes, progressed) : bytes, algorithmOf(digest))
    if (upload.received < size) throw cutShort(digest)
  }
  await upload.exclusive(async () => {
    try {
      await tryAgain(arrive, {
        pauses,
        signal,
        hopes: ['yes', 'where it was reached'],
        hasProgressed: () => upload.received - before >= PROGRESS_BYTES,
      })
      if ((await upload.commit(digest, link)) !== 'committed') throw otherBytes(digest)
    } finally {
      if (upload.state === 'open') await upload.discard()
    }
  })
}

const otherBytes = (digest: Digest): ImageCopyError =>
  new ImageCopyError(
    'source-invalid',
    `The image cannot be taken: its blob ${digest} has other bytes.`,
  )

/** Ended in good order before its end: some proxies do so when what is behind them breaks off. */
const cutShort = (digest: Digest): ImageCopyError =>
  new ImageCopyError(
    'source-invalid',
    `The image cannot be taken: its blob ${digest} has other bytes.`,
    { hope: 'yes' },
  )

async function* telling(
  bytes: AsyncIterable<Uint8Array>,
  progressed: () => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    yield chunk
    progressed()
  }
}
