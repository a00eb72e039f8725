import type { Digest } from '../../lib/digest.ts'
import {
  type BlobReader,
  type BlobStore,
  type BlobUpload,
  type BytesSource,
  StorageFull,
} from '../blob-store.ts'

/**
 * What goes wrong at one step. `short` takes or gives a part only (a write fails then, a read does not); `slow` waits to be
 * let go on; `crash` does the step and is never heard of again, nor is any later one.
 */
export type FaultKind = 'full' | 'broken' | 'short' | 'slow' | 'crash'

export interface Fault {
  readonly kind: FaultKind
  /** 1 is the next one. */
  readonly step: number
}

export interface FaultyBlobStore extends BlobStore {
  /** What was done since the last `arm`, in order: `begin`, `append`, `read`, … */
  readonly steps: readonly string[]
  /** Lets one later step go wrong; without a fault none does. */
  arm(fault?: Fault): void
  /** Settles when a slow step has been reached. */
  readonly stalled: Promise<void>
  /** Lets a slow step go on. */
  release(): void
}

/** The process has ended, as far as the store can tell: nothing is answered any more. */
export class Crashed extends Error {
  override readonly name = 'Crashed'
}

/** A blob store that does what another does until it is told to fail. */
export function createFaultyBlobStore(inner: BlobStore): FaultyBlobStore {
  let fault: Fault | undefined
  let steps: string[] = []
  let isDead = false
  let stall = Promise.withResolvers<void>()
  let release = Promise.withResolvers<void>()
  const wrapped = new WeakMap<BlobUpload, BlobUpload>()

  /** Does one step, or what its fault makes of it; `last` is what of it a process does that ends in it. */
  async function step<T>(
    name: string,
    work: () => Promise<T>,
    short: () => Promise<T> = work,
    last: () => Promise<unknown> = work,
  ): Promise<T> {
    if (isDead) throw new Crashed()
    steps.push(name)
    if (fault?.step !== steps.length) return work()
    switch (fault.kind) {
      case 'full':
        throw new StorageFull()
      case 'broken':
        throw ioError()
      case 'short':
        return short()
      case 'slow':
        stall.resolve()
        await release.promise
        return work()
      case 'crash':
        await last()
        isDead = true
        throw new Crashed()
    }
  }

  const wrapReader = (reader: BlobReader): BlobReader => ({
    read: (buffer, position) =>
      step(
        'read',
        () => reader.read(buffer, position),
        () => reader.read(buffer.subarray(0, Math.ceil(buffer.length / 2)), position),
      ),
    identify: () => reader.identify(),
    close: () => reader.close(),
  })

  function wrapUpload(upload: BlobUpload): BlobUpload {
    const known = wrapped.get(upload)
    if (known) return known
    const made: BlobUpload = {
      id: upload.id,
      get received() {
        return upload.received
      },
      get state() {
        return upload.state
      },
      exclusive: (work) => upload.exclusive(work),
      append: (source, algorithm) =>
        step(
          'append',
          () => upload.append(source, algorithm),
          () => upload.append(halfOf(source), algorithm),
        ),
      commit: (digest, link) =>
        step(
          'commit',
          () => upload.commit(digest, link),
          undefined,
          // It is there, and not seen.
          () => upload.commit(digest, async () => true),
        ),
      discard: () => step('discard', () => upload.discard()),
    }
    wrapped.set(upload, made)
    return made
  }

  async function openReader(digest: Digest): Promise<BlobReader | undefined> {
    const reader = await inner.open(digest)
    return reader && wrapReader(reader)
  }

  return {
    ...inner,

    open: (digest) =>
      step(
        'open',
        () => openReader(digest),
        undefined,
        async () => (await openReader(digest))?.close(),
      ),
    begin: (owner) => step('begin', async () => wrapUpload(await inner.begin(owner))),
    resume: (owner, id) =>
      step('resume', async () => {
        const upload = await inner.resume(owner, id)
        return upload && wrapUpload(upload)
      }),
    discardUploads: (registry) => step('discardUploads', () => inner.discardUploads(registry)),

    get steps() {
      return steps
    },
    arm(next) {
      fault = next
      steps = []
      stall = Promise.withResolvers()
      release = Promise.withResolvers()
    },
    get stalled() {
      return stall.promise
    },
    release: () => release.resolve(),
  }
}

const ioError = (): Error => Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })

/** A part of the first bytes, and then what a disk says that fails. */
async function* halfOf(source: BytesSource): AsyncGenerator<Uint8Array> {
  for await (const come of source) {
    const bytes = come instanceof Uint8Array ? come : Buffer.concat(come)
    yield bytes.subarray(0, Math.ceil(bytes.length / 2))
    throw ioError()
  }
}
