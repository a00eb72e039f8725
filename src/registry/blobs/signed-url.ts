import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import type { Query } from '../http/exchange.ts'

const LIFE_SECONDS = 20 * 60

/** What a signed URL opens: one blob of one repository, at one region's data endpoint. */
export interface SignedBlob {
  /** The registry's uid. */
  readonly registry: string
  readonly repository: string
  readonly digest: Digest
  readonly region: string
}

export interface UrlSigner {
  /** The query that opens the blob for 20 minutes. */
  sign(blob: SignedBlob): string
  isSigned(blob: SignedBlob, query: Query): boolean
}

/** Signs blob URLs with a key that never leaves the process. `se` is the expiry in seconds since 1970, `sig` the signature. */
export function createUrlSigner(options: {
  readonly key: Buffer
  readonly clock: Clock
}): UrlSigner {
  const { key, clock } = options
  const now = () => Math.floor(clock.now().getTime() / 1000)
  const signature = ({ registry, repository, digest, region }: SignedBlob, expiry: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify([registry, repository, digest, region, expiry]))
      .digest()

  return {
    sign(blob) {
      const expiry = String(now() + LIFE_SECONDS)
      return `se=${expiry}&sig=${signature(blob, expiry).toString('base64url')}`
    },

    isSigned(blob, query) {
      const expiry = query.get('se') ?? ''
      const given = Buffer.from(query.get('sig') ?? '', 'base64url')
      const expected = signature(blob, expiry)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false
      return Number(expiry) > now()
    },
  }
}
