import type { Authorizer } from '../identity/authorizer.ts'
import type { Clock } from '../lib/clock.ts'
import type { Catalogue } from './catalogue.ts'
import type { Settings } from './resource-type.ts'

/** Encrypts what the store must not hold in the clear. */
export interface Sealer {
  seal(text: string): string
  unseal(sealed: string): string
}

/** What every part of the engine works with. */
export interface Services {
  readonly catalogue: Catalogue
  readonly settings: Settings
  readonly authorizer: Authorizer
  readonly sealer: Sealer
  readonly clock: Clock
}
