import { ArmError } from '../../arm/arm-error.ts'
import { isSameId, parseResourceId } from '../../arm/resource-id.ts'
import type { Action, Context } from '../../arm/resource-type.ts'
import { type CopyErrand, type ImageCopy, ImageCopyError } from '../../registry/copy/image-copy.ts'
import { formatImage } from './image-reference.ts'
import { type ImportRequest, parseImport } from './parse-import.ts'
import { isOwnHost, loginServerOf } from './registry-hosts.ts'
import { REGISTRY, type Registry, type RegistryProperties, uidOf } from './registry-properties.ts'
import { immutableTagsIn } from './tag-immutability.ts'

const PULL = 'Microsoft.ContainerRegistry/registries/pull/read'

/** What the control plane needs of the registry plane to import images. A copy done twice leaves the same content. */
export interface ImageCopier {
  /** @throws ImageCopyError for what the client has to know. */
  copy(image: ImageCopy, errand: CopyErrand): Promise<void>
}

/** Copies an image into the registry; everything that can be told of a request is told before it is accepted. */
export const createImportImage = (images: ImageCopier): Action<RegistryProperties> => ({
  method: 'POST',
  permission: 'importImage/action',
  asynchronous: true,

  check: async (registry, body, context) => {
    await findSource(registry, parseImport(body), context)
  },

  run: async (registry, body, context) => {
    const request = parseImport(body)
    const from = await findSource(registry, request, context)
    const { targetTags, untaggedTargetRepositories, force } = request
    const image = {
      from,
      sourceImage: formatImage(request.image),
      to: { registryUid: uidOf(registry), immutableTagsIn: immutableTagsIn(registry) },
      targetTags,
      untaggedTargetRepositories,
      force,
    }
    const { objectId, displayName, kind } = context.principal
    const errand = {
      who: objectId,
      caller: { kind, id: objectId, name: displayName },
      ...(context.signal && { signal: context.signal }),
    }
    try {
      await images.copy(image, errand)
    } catch (error) {
      throw error instanceof ImageCopyError ? copyFailed(error) : error
    }
    return undefined
  },
})

async function findSource(
  target: Registry,
  { source }: ImportRequest,
  context: Context,
): Promise<ImageCopy['from']> {
  if ('host' in source && !isOwnHost(source.host, context.settings.registryDomain)) return source
  const own = await findOwnRegistry(source, context)
  if (!context.isAllowed(PULL, own.id)) throw pullNotAllowed(own, context)
  // The words of the refusal are not verified; that it is refused is documented with the export policy.
  if (!isSameId(own.id, target.id) && own.properties.policies.exportPolicy.status === 'disabled') {
    throw new ArmError(403, {
      code: 'Forbidden',
      message: `Importing from the registry '${own.name}' is not allowed because it has exports disabled.`,
    })
  }
  return { registryUid: uidOf(own) }
}

async function findOwnRegistry(source: ImportRequest['source'], context: Context) {
  if ('resourceId' in source) {
    const { resourceId } = source
    const isRegistry = parseResourceId(resourceId)?.type.toLowerCase() === REGISTRY.toLowerCase()
    const registry = isRegistry ? await context.get<Registry['properties']>(resourceId) : undefined
    if (registry) return registry
    throw new ArmError(404, {
      code: 'ResourceNotFound',
      message: `The source registry '${resourceId}' was not found.`,
      target: 'source.resourceId',
    })
  }
  const registries = await context.all<Registry['properties']>(REGISTRY)
  const registry = registries.find(
    ({ name }) => loginServerOf(name, context.settings.registryDomain) === source.host,
  )
  if (!registry) throw notHere(source.host, context)
  return registry
}

const notHere = (host: string, { settings }: Context) =>
  new ArmError(400, {
    code: 'ImportSourceNotSupported',
    message:
      `There is no registry '${host}' here, and names under '${settings.registryDomain}' are looked for nowhere else. ` +
      'Name a registry of this service, or one of another domain.',
    target: 'source.registryUri',
  })

const pullNotAllowed = ({ id }: Registry, { principal }: Context) =>
  new ArmError(403, {
    code: 'AuthorizationFailed',
    message:
      `The client '${principal.appId}' with object id '${principal.objectId}' does not have authorization to perform ` +
      `action '${PULL}' over scope '${id}' or the scope is invalid. If access was recently granted, please refresh ` +
      'your credentials.',
  })

/**
 * Codes other than `Conflict` are not verified, but for `InvalidParameters`, which the service has for what went wrong at
 * the source: https://github.com/Azure/acr/issues/632. That it comes with a 400 is not verified.
 */
const COPY_FAILURES = {
  'source-unknown': { status: 404, code: 'ManifestUnknown' },
  'source-not-allowed': { status: 403, code: 'Forbidden' },
  'source-denied': { status: 400, code: 'InvalidParameters' },
  'source-throttled': { status: 400, code: 'InvalidParameters' },
  'source-unreachable': { status: 400, code: 'InvalidParameters' },
  'source-invalid': { status: 400, code: 'InvalidParameters' },
  'target-exists': { status: 409, code: 'Conflict' },
  'target-locked': { status: 409, code: 'Conflict' },
} as const satisfies Record<ImageCopyError['code'], { status: number; code: string }>

function copyFailed(error: ImageCopyError): ArmError {
  const { status, code } = COPY_FAILURES[error.code]
  return new ArmError(status, { code, message: error.message }, { cause: error })
}
