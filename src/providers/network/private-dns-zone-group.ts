import { isDeepStrictEqual } from 'node:util'
import { isSameId, parseResourceId } from '../../arm/resource-id.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { API_VERSIONS } from './api-versions.ts'
import { parseLinkedId, requireLinkedRight } from './linked-resource.ts'
import { networkError, requireDistinctNames } from './network-error.ts'
import {
  PRIVATE_DNS_ZONES,
  ZONE_GROUPS,
  type ZoneGroupProperties,
  zoneGroupProperties,
} from './private-dns-zone-group-schema.ts'
import type { PrivateEndpointProperties } from './private-endpoint-schema.ts'
import { RESOURCE_NAME } from './resource-name.ts'
import {
  eraseRecords,
  wantedRecords,
  withoutNamesOf,
  writeRecords,
  ZONE_RECORD_TTL,
} from './zone-records.ts'

type ZoneGroup = Resource<ZoneGroupProperties>

export const privateDnsZoneGroup = defineResourceType({
  type: ZONE_GROUPS,
  apiVersions: API_VERSIONS,
  location: 'none',
  properties: zoneGroupProperties,
  name: RESOURCE_NAME,
  etag: 'weak',
  references: ({ properties }) =>
    properties.privateDnsZoneConfigs.map((config) => config.properties.privateDnsZoneId),

  async validate(next, _previous, context) {
    requireDistinctNames(next.id, next.properties.privateDnsZoneConfigs)
    await requireOnlyGroup(next, context)
    await requireZones(next, context)
  },

  async provision(next, context) {
    const endpoint = await endpointOf(next, context)
    return { records: endpoint ? wantedRecords(next.properties, endpoint) : [] }
  },

  async provisioned(stored, context, previous) {
    const endpoint = await endpointOf(stored, context)
    if (!endpoint) return
    const [before, after] = [previous?.properties.records ?? [], stored.properties.records ?? []]
    await eraseRecords(endpoint, withoutNamesOf(before, after), context)
    await writeRecords(endpoint, after, context)
  },

  async deprovision(last, context) {
    const endpoint = await endpointOf(last, context)
    if (endpoint) await eraseRecords(endpoint, last.properties.records ?? [], context)
  },

  async reconcile(current, context) {
    const endpoint = await endpointOf(current, context)
    if (!endpoint) return undefined
    // Measured against what was written last, not against the zone: a record deleted by hand stays deleted.
    const before = current.properties.records ?? []
    const after = wantedRecords(current.properties, endpoint)
    if (isDeepStrictEqual(before, after)) return undefined
    await eraseRecords(endpoint, withoutNamesOf(before, after), context)
    const changed = after.filter(
      (record) => !before.some((written) => isDeepStrictEqual(written, record)),
    )
    await writeRecords(endpoint, changed, context)
    return { ...current.properties, records: after }
  },

  async present(stored) {
    const { privateDnsZoneConfigs, records = [] } = stored.properties
    return {
      provisioningState: 'Succeeded',
      privateDnsZoneConfigs: privateDnsZoneConfigs.map(({ name, properties }) => ({
        name,
        id: `${stored.id}/privateDnsZoneConfigs/${name}`,
        etag: `W/"${stored.etag}"`,
        type: `${ZONE_GROUPS}/privateDnsZoneConfigs`,
        properties: {
          provisioningState: 'Succeeded',
          privateDnsZoneId: properties.privateDnsZoneId,
          recordSets: records
            .filter((record) => isSameId(record.zoneId, properties.privateDnsZoneId))
            .map((record) => ({
              recordType: 'A',
              recordSetName: record.name,
              fqdn: `${record.name}.${parseResourceId(record.zoneId)?.name}`,
              ttl: ZONE_RECORD_TTL,
              provisioningState: 'Succeeded',
              ipAddresses: [record.address],
            })),
        },
      })),
    }
  },
})

const endpointOf = (group: ZoneGroup, context: Context) =>
  context.get<PrivateEndpointProperties>(endpointIdOf(group))

const endpointIdOf = (group: ZoneGroup): string => parseResourceId(group.id)?.parent ?? ''

async function requireOnlyGroup(next: ZoneGroup, context: Context): Promise<void> {
  const groups = await context.children(endpointIdOf(next), ZONE_GROUPS)
  if (groups.every((group) => isSameId(group.id, next.id))) return
  throw networkError(
    'MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed',
    `Cannot create more than one private dns zone groups in the private endpoint ${endpointIdOf(next)}.`,
  )
}

async function requireZones(next: ZoneGroup, context: Context): Promise<void> {
  const unknown: string[] = []
  for (const [index, { properties }] of next.properties.privateDnsZoneConfigs.entries()) {
    const path = `properties.privateDnsZoneConfigs[${index}].properties.privateDnsZoneId`
    const id = parseLinkedId(properties.privateDnsZoneId, path)
    const zone = await context.get(id.id)
    if (zone?.type !== PRIVATE_DNS_ZONES) {
      unknown.push(properties.privateDnsZoneId)
      continue
    }
    requireLinkedRight(
      { action: `${ZONE_GROUPS}/write`, id: next.id },
      { action: `${PRIVATE_DNS_ZONES}/join/action`, id: zone.id },
      context,
    )
  }
  if (unknown.length === 0) return
  throw networkError(
    'InvalidPrivateDnsZoneIds',
    `Private Dns Zone group ${next.id} has invalid private dns zone ids ${unknown.join(',')}.`,
  )
}
