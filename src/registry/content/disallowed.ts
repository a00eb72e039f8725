import { OciError } from '../http/oci-error.ts'
import type { Attributes } from './attributes.ts'

/** What keeps something from being done: a thing, and its attribute that says no. */
export interface Lock {
  readonly kind?: 'repository' | 'tag' | 'manifest'
  readonly name: string
  readonly attribute: keyof Attributes
}

/** What the service answers, status, code and words; its `detail` is empty: https://github.com/Azure/acr-cli/issues/70 */
export const disallowed = (lock: Lock): OciError =>
  new OciError('REGISTRY_DISALLOWED_OPERATION', lock)
