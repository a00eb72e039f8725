import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Clock } from '../../lib/clock.ts'
import type { Subject } from '../access/grants.ts'
import type { AcrPath } from '../acr/acr-path.ts'
import type { OciErrorCode } from '../http/oci-error.ts'
import type { OciPath } from '../http/oci-path.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import type { ManifestFacts } from './registry-events.ts'

/** What a request is for: a path of the distribution specification, one of `/acr/v1`, or a token. */
export type Asked =
  | OciPath
  | (Omit<AcrPath, 'kind'> & {
      readonly kind: `acr_${AcrPath['kind']}`
      readonly repository?: string
      readonly tag?: string
      readonly digest?: string
    })
  | { readonly kind: 'token' | 'token_exchange' }

/** What is known of a request, more and more on its way through the plane: for metrics and the audit trail. */
export interface RequestRecord {
  readonly correlationId: string
  readonly time: Date
  /** By a clock that nobody sets. */
  readonly startedMs: number
  /** The registry whose host it came to. */
  registry?: RegistryFacts
  /** Of the data endpoint, where it came to one. */
  region?: string
  asked?: Asked
  /** Who asks, as soon as it is proven. */
  subject?: Subject
  /** The name that was signed in with in vain. */
  triedName?: string
  /** The manifest that was sent or taken. */
  manifest?: ManifestFacts
  errorCode?: OciErrorCode
  /** It came from where nobody may come to this host of the registry. */
  isTurnedAway?: boolean
}

export const openRecord = (clock: Clock): RequestRecord => ({
  correlationId: randomUUID(),
  time: clock.now(),
  startedMs: performance.now(),
})
