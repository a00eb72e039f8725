import { EgressError, type EgressFailure } from '../../lib/egress-error.ts'
import { type Hope, ImageCopyError } from './image-copy.ts'

/** Of the first three one must not be told from another, by no word and by no delay. */
const HOPES: Readonly<Partial<Record<EgressFailure, Hope>>> = {
  'refused-target': 'where it was reached',
  unresolved: 'where it was reached',
  unreachable: 'where it was reached',
  timeout: 'yes',
  'broken-off': 'yes',
}

/** Throws what went wrong outside as a failure of the copy; that it was cancelled stays what it is. */
export function rethrow(error: unknown): never {
  if (!(error instanceof EgressError) || error.kind === 'cancelled') throw error
  const code = error.kind === 'too-large' ? 'source-invalid' : 'source-unreachable'
  const hope = HOPES[error.kind] ?? 'no'
  throw new ImageCopyError(code, error.message, { cause: error, hope })
}

/** Bytes whose failure is one of the copy. */
export async function* inOurWords(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    rethrow(error)
  }
}
