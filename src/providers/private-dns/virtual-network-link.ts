import { ArmError } from '../../arm/arm-error.ts'
import { createOnly, readOnly } from '../../arm/marks.ts'
import { isSameId, parseResourceId } from '../../arm/resource-id.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { API_VERSIONS, ZONE_TYPE } from './record-set.ts'

export const LINK_TYPE = `${ZONE_TYPE}/virtualNetworkLinks`
const NETWORK_TYPE = 'Microsoft.Network/virtualNetworks'
const JOIN = `${NETWORK_TYPE}/join/action`

const properties = Type.Object({
  virtualNetwork: createOnly(Type.Object({ id: Type.String() })),
  registrationEnabled: Type.Boolean({ default: false }),
  resolutionPolicy: Type.Optional(
    Type.Union([Type.Literal('Default'), Type.Literal('NxDomainRedirect')]),
  ),
  virtualNetworkLinkState: readOnly(Type.String({ default: 'Completed' })),
  provisioningState: readOnly(Type.String({ default: 'Succeeded' })),
})

export type LinkProperties = Static<typeof properties>

/** What lets a network see a zone. */
export const virtualNetworkLink = defineResourceType({
  type: LINK_TYPE,
  apiVersions: API_VERSIONS,
  location: 'global',
  properties,
  name: /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?$/,
  etag: 'bare',
  noun: (id) => {
    const [zone = '', name = id] = parseResourceId(id)?.names ?? []
    return `Virtual Network link ${name} for the Private DNS zone ${zone}`
  },
  references: (link) => [link.properties.virtualNetwork.id],

  async validate(next, previous, context) {
    requirePolicyFits(next)
    if (!previous) await requireNetwork(next, context)
    const networkId = next.properties.virtualNetwork.id
    const links = await context.referrers<LinkProperties>(networkId, LINK_TYPE)
    const others = links.filter((link) => !isSameId(link.id, next.id))
    requireOwnNamespace(next, others)
    if (next.properties.registrationEnabled) requireOnlyRegistration(others)
  },

  // A network that goes takes its links along; what it resolved is gone with it.
  async reconcile(current, context) {
    if (await context.get(current.properties.virtualNetwork.id)) return undefined
    await context.erase(current.id)
    return undefined
  },

  async present(stored, _context, apiVersion) {
    const { resolutionPolicy = 'Default', ...rest } = stored.properties
    const isShown = isPrivateLinkZone(zoneNameOf(stored.id)) && apiVersion >= '2024-06-01'
    return { ...rest, ...(isShown && { resolutionPolicy }) }
  },
})

const zoneNameOf = (linkId: string): string => parseResourceId(linkId)?.names[0] ?? ''

const isPrivateLinkZone = (zone: string): boolean => zone.toLowerCase().startsWith('privatelink.')

/** @throws ArmError 400 BadRequest */
function requirePolicyFits(next: Resource<LinkProperties>): void {
  const { resolutionPolicy } = next.properties
  const zone = zoneNameOf(next.id)
  if (resolutionPolicy === undefined || isPrivateLinkZone(zone)) return
  throw badRequest(
    `ResolutionPolicy is not supported for the virtual network link '${next.name}': the zone '${zone}' is not a privatelink zone.`,
  )
}

/** @throws ArmError 400 LinkedInvalidPropertyId, 403 LinkedAuthorizationFailed, 404 ResourceNotFound. */
async function requireNetwork(next: Resource<LinkProperties>, context: Context): Promise<void> {
  const { id: text } = next.properties.virtualNetwork
  const id = parseResourceId(text)
  if (id?.type.toLowerCase() !== NETWORK_TYPE.toLowerCase()) {
    throw new ArmError(400, {
      code: 'LinkedInvalidPropertyId',
      message:
        `Property id '${text}' at path 'properties.virtualNetwork.id' is invalid. Expect fully qualified resource Id ` +
        "that start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
    })
  }
  if (!context.isAllowed(JOIN, text)) {
    const { appId, objectId } = context.principal
    throw new ArmError(403, {
      code: 'LinkedAuthorizationFailed',
      message:
        `The client '${appId}' with object id '${objectId}' has permission to perform action '${LINK_TYPE}/write' on ` +
        `scope '${next.id}'; however, it does not have permission to perform action(s) '${JOIN}' on the linked ` +
        `scope(s) '${text}' (respectively) or the linked scope(s) are invalid.`,
    })
  }
  if (await context.get(text)) return
  throw new ArmError(404, {
    code: 'ResourceNotFound',
    message: `The Resource '${NETWORK_TYPE}/${id.name}' under resource group '${id.resourceGroup}' was not found.`,
  })
}

/**
 * A name must have one home in a network. A zone below another is no conflict: the longer one decides.
 *
 * @throws ArmError 400 BadRequest
 */
function requireOwnNamespace(
  next: Resource<LinkProperties>,
  others: readonly Resource<LinkProperties>[],
): void {
  const zone = zoneNameOf(next.id)
  const rival = others
    .map((link) => zoneNameOf(link.id))
    .find((name) => name.toLowerCase() === zone.toLowerCase())
  if (rival === undefined) return
  throw badRequest(
    'A virtual network cannot be linked to multiple zones with overlapping namespaces. ' +
      `You tried to link virtual network with '${zone}' and '${rival}' zones.`,
  )
}

/** @throws ArmError 409 Conflict */
function requireOnlyRegistration(others: readonly Resource<LinkProperties>[]): void {
  const rival = others.find((link) => link.properties.registrationEnabled)
  if (!rival) return
  throw new ArmError(409, {
    code: 'Conflict',
    message:
      'A virtual network can only be linked to 1 Private DNS zone(s) with auto-registration enabled; ' +
      `conflicting Private DNS zone is "${zoneNameOf(rival.id)}".`,
  })
}

const badRequest = (message: string): ArmError => new ArmError(400, { code: 'BadRequest', message })
