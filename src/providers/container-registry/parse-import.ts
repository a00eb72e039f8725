import { invalidProperty } from '../../arm/arm-error.ts'
import { faultsOf, isOfSchema } from '../../lib/check-schema.ts'
import { type Static, Type } from '../../lib/schema.ts'
import type { RemoteSource } from '../../registry/copy/image-copy.ts'
import { parseHost } from './cached-repository.ts'
import { formatImage, type ImageReference, isRepository, parseImage } from './image-reference.ts'

const importRequest = Type.Object({
  source: Type.Object({
    resourceId: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    registryUri: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    sourceImage: Type.String(),
    credentials: Type.Optional(
      Type.Union([
        Type.Object({
          username: Type.Optional(Type.Union([Type.String(), Type.Null()])),
          password: Type.String({ minLength: 1 }),
        }),
        Type.Null(),
      ]),
    ),
  }),
  targetTags: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
  untaggedTargetRepositories: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
  mode: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})

export interface ImportRequest {
  readonly source: { readonly resourceId: string } | RemoteSource
  readonly image: ImageReference
  readonly targetTags: readonly string[]
  readonly untaggedTargetRepositories: readonly string[]
  readonly force: boolean
}

/** Reads the body of `importImage`. @throws ArmError 400 that names the property at fault. */
export function parseImport(body: unknown): ImportRequest {
  const [error] = faultsOf(importRequest, body)
  if (error || !isOfSchema(importRequest, body)) {
    const path = error?.instancePath.replaceAll('/', '.').replace(/^\./, '') || 'source'
    throw invalidProperty(path, `it ${error?.message ?? 'is required'}.`)
  }
  const image = parseImage(body.source.sourceImage)
  if (!image) {
    throw invalidProperty(
      'source.sourceImage',
      `'${body.source.sourceImage}' is no image of the form 'repository:tag' or 'repository@sha256:…'.`,
    )
  }
  return {
    source: parseSource(body.source),
    image,
    ...parseTargets(body, image),
    ...parseMode(body),
  }
}

function parseSource({
  resourceId,
  registryUri,
  credentials,
}: Static<typeof importRequest>['source']): ImportRequest['source'] {
  if (resourceId) return { resourceId }
  if (!registryUri) {
    throw invalidProperty('source', "it must have a 'resourceId' or a 'registryUri'.")
  }
  const host = parseHost(registryUri.replace(/^https?:\/\//i, '').replace(/\/+$/, ''))
  if (host === undefined) {
    throw invalidProperty(
      'source.registryUri',
      `'${registryUri}' is not the address of a registry: give a host name, 'registry.example.com'.`,
    )
  }
  if (!credentials) return { host }
  const { username, password } = credentials
  return { host, credentials: { password, ...(username && { username }) } }
}

function parseTargets(body: Static<typeof importRequest>, image: ImageReference) {
  // "When tag is omitted the source will be used (or 'latest' if source tag is also omitted)", says the API document.
  const defaultTag = image.suffix.startsWith(':') ? image.suffix.slice(1) : 'latest'
  const targetTags = (body.targetTags ?? []).map((text, index) => {
    const target = parseImage(text, defaultTag)
    if (target?.suffix.startsWith(':')) return formatImage(target)
    throw invalidProperty(`targetTags[${index}]`, `'${text}' is not of the form 'repository:tag'.`)
  })
  const untaggedTargetRepositories = body.untaggedTargetRepositories ?? []
  const wrong = untaggedTargetRepositories.findIndex((name) => !isRepository(name))
  if (wrong >= 0) {
    throw invalidProperty(
      `untaggedTargetRepositories[${wrong}]`,
      `'${untaggedTargetRepositories[wrong]}' is no repository name.`,
    )
  }
  if (targetTags.length + untaggedTargetRepositories.length === 0) {
    throw invalidProperty('targetTags', 'it names no target.')
  }
  return { targetTags, untaggedTargetRepositories }
}

function parseMode({ mode }: Static<typeof importRequest>): { force: boolean } {
  const known = ['NoForce', 'Force'].find(
    (name) => name.toLowerCase() === (mode ?? 'NoForce').toLowerCase(),
  )
  if (!known) throw invalidProperty('mode', "it must be 'Force' or 'NoForce'.")
  return { force: known === 'Force' }
}
