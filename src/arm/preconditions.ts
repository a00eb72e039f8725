import { ArmError } from './arm-error.ts'
import type { Resource, ResourceType } from './resource-type.ts'

/** The raw headers. */
export interface Preconditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

/** @throws ArmError 412 PreconditionFailed */
export function checkPreconditions(
  type: ResourceType,
  name: string,
  previous: Resource | undefined,
  { ifMatch, ifNoneMatch }: Preconditions,
): void {
  if (ifNoneMatch && previous && (ifNoneMatch.trim() === '*' || names(ifNoneMatch, previous))) {
    throw failed(
      type.noun
        ? `The ${phraseOf(type, name, previous)} exists already and hence cannot be created again.`
        : `The condition 'If-None-Match: ${ifNoneMatch}' is not met: the resource '${name}' exists already.`,
    )
  }
  if (!ifMatch || (previous && (ifMatch.trim() === '*' || names(ifMatch, previous)))) return
  throw failed(
    type.noun
      ? `The ${phraseOf(type, name, previous)} has been modified (etag mismatch).`
      : `The condition 'If-Match: ${ifMatch}' is not met: the resource '${name}' has been modified or does not exist.`,
  )
}

function phraseOf(type: ResourceType, name: string, previous: Resource | undefined): string {
  if (typeof type.noun === 'function') return type.noun(previous?.id ?? name)
  return `${type.noun} ${name}`
}

/** The etag as clients of the type see it. */
export function etagOnWire(type: ResourceType, etag: string): string | undefined {
  if (type.etag === 'none') return undefined
  return type.etag === 'weak' ? `W/"${etag}"` : etag
}

const bare = (etag: string) => etag.trim().replace(/^W\//i, '').replaceAll(/["\\]/g, '')

const names = (header: string, resource: Resource) =>
  header.split(',').some((etag) => bare(etag) === resource.etag)

const failed = (message: string) => new ArmError(412, { code: 'PreconditionFailed', message })
