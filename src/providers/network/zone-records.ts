import { isSameId, parseResourceId } from '../../arm/resource-id.ts'
import type { Context, Resource } from '../../arm/resource-type.ts'
import type { ZoneGroupProperties, ZoneRecord } from './private-dns-zone-group-schema.ts'
import { isApproved, type PrivateEndpointProperties } from './private-endpoint-schema.ts'

type Endpoint = Resource<PrivateEndpointProperties>

/** Seconds that the service's own records live. */
export const ZONE_RECORD_TTL = 10

const PRIVATE_LABEL = 'privatelink.'

/**
 * The records that a group's zones should have for an endpoint: none before it is approved, and none in a zone that is
 * not one of the target's own. A connection that is rejected later, or cut, leaves them: the endpoint keeps its
 * addresses, only nothing listens there.
 */
export function wantedRecords(group: ZoneGroupProperties, endpoint: Endpoint): ZoneRecord[] {
  if (!isApproved(endpoint.properties)) {
    return (group.records ?? []).filter(({ zoneId }) =>
      group.privateDnsZoneConfigs.some((config) =>
        isSameId(config.properties.privateDnsZoneId, zoneId),
      ),
    )
  }
  const { members = [], zoneNames = [] } = endpoint.properties
  return group.privateDnsZoneConfigs.flatMap(({ properties }) => {
    const zoneId = properties.privateDnsZoneId
    const zone = parseResourceId(zoneId)?.name.toLowerCase() ?? ''
    if (!zoneNames.some((name) => name.toLowerCase() === zone)) return []
    return members.flatMap(({ fqdn, address }) => {
      const name = relativeName(fqdn, zone)
      return name === undefined ? [] : [{ zoneId, name, address }]
    })
  })
}

/** `shop.azurecr.io` in `privatelink.azurecr.io` is `shop`. */
function relativeName(fqdn: string, zone: string): string | undefined {
  const publicSuffix = zone.startsWith(PRIVATE_LABEL) ? zone.slice(PRIVATE_LABEL.length) : zone
  const name = fqdn.toLowerCase()
  return name.endsWith(`.${publicSuffix}`) ? name.slice(0, -publicSuffix.length - 1) : undefined
}

/** Writes record sets into zones that exist, over whatever has their names. */
export async function writeRecords(
  endpoint: Endpoint,
  records: readonly ZoneRecord[],
  context: Context,
): Promise<void> {
  for (const { zoneId, name, address } of records) {
    if (!(await context.get(zoneId))) continue
    await context.write(`${zoneId}/A/${name}`, {
      properties: {
        ttl: ZONE_RECORD_TTL,
        aRecords: [{ ipv4Address: address }],
        metadata: { creator: creatorOf(endpoint) },
      },
    })
  }
}

/** Removes those record sets that this endpoint wrote last: what somebody else put in their place stays. */
export async function eraseRecords(
  endpoint: Endpoint,
  records: readonly ZoneRecord[],
  context: Context,
): Promise<void> {
  for (const { zoneId, name } of records) {
    const id = `${zoneId}/A/${name}`
    const found = await context.get<{ metadata?: { creator?: string } }>(id)
    if (found?.properties.metadata?.creator === creatorOf(endpoint)) await context.erase(id)
  }
}

/** Those of `records` whose names are not among `others`. */
export const withoutNamesOf = (
  records: readonly ZoneRecord[],
  others: readonly ZoneRecord[],
): readonly ZoneRecord[] =>
  records.filter(
    (record) =>
      !others.some((other) => other.name === record.name && isSameId(other.zoneId, record.zoneId)),
  )

const creatorOf = (endpoint: Endpoint): string =>
  `created by private endpoint ${endpoint.name} with resource guid ${endpoint.properties.resourceGuid}`
