import { EgressError } from '../../lib/egress-error.ts'
import { ImageCopyError } from '../copy/image-copy.ts'
import type { Fetched } from './upstream.ts'

const REASONS = {
  'source-denied': 'denied',
  'source-throttled': 'throttled',
  'source-unreachable': 'unreachable',
  'source-invalid': 'invalid',
} as const

/** What asking elsewhere came to, when it failed. @throws what is our own failure */
export function failureOf(error: unknown): Fetched {
  if (error instanceof EgressError) {
    return { kind: 'failed', reason: 'unreachable', message: error.message }
  }
  if (!(error instanceof ImageCopyError)) throw error
  const { code, message, retryAfterSeconds } = error
  if (code === 'source-unknown') return { kind: 'unknown' }
  // Of copies, not of fetching.
  if (code === 'target-exists' || code === 'target-locked' || code === 'source-not-allowed') {
    throw error
  }
  return {
    kind: 'failed',
    reason: REASONS[code],
    message,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }
}
