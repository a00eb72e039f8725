import type { Digest, DigestAlgorithm } from '../lib/digest.ts'
import { isErrno } from '../lib/files.ts'

/** Where the bytes of blobs are: each once, named by its digest, durable before it is acknowledged. */
export interface BlobStore {
  /** Undefined where no such blob is. The caller closes the reader. */
  open(digest: Digest): Promise<BlobReader | undefined>
  begin(owner: UploadOwner): Promise<BlobUpload>
  /** Takes up what was received before, by this process or an earlier one. */
  resume(owner: UploadOwner, id: string): Promise<BlobUpload | undefined>
  /** Reads what an upload has received so far, in whichever process; undefined where there is none (any more). The caller closes the reader. */
  openUpload(owner: UploadOwner, id: string): Promise<BlobReader | undefined>
  /** Drops all that is being uploaded to one registry. */
  discardUploads(registry: string): Promise<void>
  has(digest: Digest): Promise<boolean>
  /** Every blob by digest, those after `after` where it is given; without any that come or go meanwhile, perhaps. */
  list(after?: Digest): AsyncIterable<StoredBlob>
  /** Takes a blob out of the store, at once; who reads it reads on. Its space is free after `reclaim`. */
  remove(digest: Digest): Promise<void>
  /** Frees the space of what was removed, by an earlier process too. */
  reclaim(): Promise<void>
  /** Sets a blob with wrong bytes aside, for a person to look at. False where it is not the one that `reader` reads any more. */
  quarantine(digest: Digest, reader: BlobReader): Promise<boolean>
}

export interface StoredBlob {
  readonly digest: Digest
  /** In bytes. */
  readonly size: number
  /** When it was put there. */
  readonly storedAt: Date
}

/** An upload is found only under the registry (its uid) and repository that began it. */
export interface UploadOwner {
  readonly registry: string
  readonly repository: string
}

/** Bytes that can be read from any position. */
export interface BytesReader {
  /** Fills the buffer from `position` on as far as the bytes go; returns the number of bytes read. */
  read(buffer: Buffer, position: number): Promise<number>
  close(): Promise<void>
}

export interface BlobReader extends BytesReader {
  /** Tells this very blob from a later one of the same digest. */
  identify(): Promise<string>
}

export type BytesSource = AsyncIterable<Uint8Array | readonly Uint8Array[]>

export interface BlobUpload {
  readonly id: string
  /** Bytes so far. */
  readonly received: number
  readonly state: 'open' | 'done'
  /** Runs one piece of work at a time on this upload, in the order of the calls. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /**
   * Takes bytes at the end, as they are or several pieces of them at once. When the source fails, what came before stays and the failure is passed on.
   * `algorithm` is the one that `commit` will ask for, as far as is known.
   *
   * @throws StorageFull
   */
  append(source: BytesSource, algorithm?: DigestAlgorithm): Promise<void>
  /**
   * Makes it a blob, durably, and then seen by `link`, which answers false where the blob was removed in between: then it
   * is put there again. With another digest than the bytes have, nothing happens.
   */
  commit(digest: Digest, link: () => Promise<boolean>): Promise<'committed' | 'mismatch'>
  discard(): Promise<void>
}

/** No room for more bytes. What was acknowledged before is not touched. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull'
  constructor(options?: ErrorOptions) {
    super('no space is left for blobs', options)
  }
}

/** https://www.sqlite.org/rescode.html#full */
const SQLITE_FULL = 13

/** Whether something failed for lack of space, in the blob store, the file system or the database. */
export const isStorageFull = (error: unknown): boolean =>
  error instanceof StorageFull ||
  isErrno(error, 'ENOSPC') ||
  isErrno(error, 'EDQUOT') ||
  (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_FULL)
