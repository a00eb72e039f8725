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
}

/** An upload is found only under the registry (its uid) and repository that began it. */
export interface UploadOwner {
  readonly registry: string
  readonly repository: string
}

export interface BlobReader {
  /** Fills the buffer from `position` on as far as the blob goes; returns the number of bytes read. */
  read(buffer: Buffer, position: number): Promise<number>
  close(): Promise<void>
}

export interface BlobUpload {
  readonly id: string
  /** Bytes so far. */
  readonly received: number
  readonly state: 'open' | 'done'
  /** Runs one piece of work at a time on this upload, in the order of the calls. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /**
   * Takes bytes at the end. When the source fails, what came before stays and the failure is passed on.
   * `algorithm` is the one that `commit` will ask for, as far as is known.
   *
   * @throws StorageFull
   */
  append(source: AsyncIterable<Uint8Array>, algorithm?: DigestAlgorithm): Promise<void>
  /** Makes it a blob, durably. With another digest than the bytes have, nothing happens. */
  commit(digest: Digest): Promise<'committed' | 'mismatch'>
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
