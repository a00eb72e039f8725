import { ArmError } from '../../arm/arm-error.ts'
import { isSameId, parseResourceId } from '../../arm/resource-id.ts'
import type { Action, Context } from '../../arm/resource-type.ts'
import { type ImageCopy, ImageCopyError } from '../../registry/image-copy.ts'
import { formatImage } from './image-reference.ts'
import { type ImportRequest, parseImport } from './parse-import.ts'
import { loginServerOf } from './registry-hosts.ts'
import { REGISTRY, type Registry, type RegistryProperties, uidOf } from './registry-properties.ts'

const PULL = 'Microsoft.ContainerRegistry/registries/pull/read'

/** What comes with the product, so that it can be imported without a network. */
const SHIPPED = { host: 'mcr.microsoft.com', repository: 'hello-world' } as const

/** What the control plane needs of the registry plane to import images. A copy done twice leaves the same content. */
export interface ImageCopier {
  /** @throws ImageCopyError for what the client has to know. */
  copy(image: ImageCopy): Promise<void>
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
    try {
      await images.copy({
        from,
        sourceImage: formatImage(request.image),
        to: { registryUid: uidOf(registry) },
        targetTags,
        untaggedTargetRepositories,
        force,
      })
    } catch (error) {
      throw error instanceof ImageCopyError ? copyFailed(error) : error
    }
    return undefined
  },
})

async function findSource(
  target: Registry,
  { source, image }: ImportRequest,
  context: Context,
): Promise<ImageCopy['from']> {
  if ('host' in source && source.host === SHIPPED.host) {
    if (image.repository === SHIPPED.repository) return { host: source.host }
    throw notSupported(`${source.host}/${image.repository}`, context)
  }
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
  if (!registry) throw notSupported(source.host, context)
  return registry
}

const notSupported = (source: string, { settings }: Context) =>
  new ArmError(400, {
    code: 'ImportSourceNotSupported',
    message:
      `Images cannot be imported from '${source}'. Supported are '${SHIPPED.host}/${SHIPPED.repository}', which comes ` +
      `with this service, and its own registries ('<name>.${settings.registryDomain}', or a resource id).`,
    target: 'source',
  })

const pullNotAllowed = ({ id }: Registry, { principal }: Context) =>
  new ArmError(403, {
    code: 'AuthorizationFailed',
    message:
      `The client '${principal.appId}' with object id '${principal.objectId}' does not have authorization to perform ` +
      `action '${PULL}' over scope '${id}' or the scope is invalid. If access was recently granted, please refresh ` +
      'your credentials.',
  })

/** Codes other than `Conflict` are not verified. */
const COPY_FAILURES = {
  'source-unknown': { status: 404, code: 'ManifestUnknown' },
  'source-not-allowed': { status: 403, code: 'Forbidden' },
  'target-exists': { status: 409, code: 'Conflict' },
} as const satisfies Record<ImageCopyError['code'], { status: number; code: string }>

function copyFailed(error: ImageCopyError): ArmError {
  const { status, code } = COPY_FAILURES[error.code]
  return new ArmError(status, { code, message: error.message }, { cause: error })
}
