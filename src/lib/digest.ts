import { createHash } from 'node:crypto'

export type DigestAlgorithm = 'sha256' | 'sha512'

/** `sha256:<64 hex>` or `sha512:<128 hex>`, in lower case. */
export type Digest = `${DigestAlgorithm}:${string}`

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

export const isDigest = (text: string): text is Digest => DIGEST.test(text)

export const digestOf = (bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`

export const algorithmOf = (digest: Digest): DigestAlgorithm =>
  digest.startsWith('sha512:') ? 'sha512' : 'sha256'

export const hexOf = (digest: Digest): string => digest.slice(digest.indexOf(':') + 1)
