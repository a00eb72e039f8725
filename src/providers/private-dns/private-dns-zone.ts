import { ArmError } from '../../arm/arm-error.ts'
import { readOnly } from '../../arm/marks.ts'
import { type Context, defineResourceType } from '../../arm/resource-type.ts'
import { Type } from '../../lib/schema.ts'
import { ZONE_NAME } from './names.ts'
import { RECORD_KINDS } from './record-kind.ts'
import { API_VERSIONS, ZONE_TYPE } from './record-set.ts'
import { INITIAL_SOA } from './soa-record-set.ts'
import { LINK_TYPE, type LinkProperties } from './virtual-network-link.ts'

/** Names that the service keeps for itself; zones below them are allowed. */
const RESERVED_NAMES = new Set([
  'azclient.ms',
  'azure.com',
  'cloudapp.net',
  'core.windows.net',
  'microsoft.com',
  'msidentity.com',
  'trafficmanager.net',
  'windows.net',
])

export const privateDnsZone = defineResourceType({
  type: ZONE_TYPE,
  apiVersions: API_VERSIONS,
  location: 'global',
  properties: Type.Object({
    provisioningState: readOnly(Type.String({ default: 'Succeeded' })),
    maxNumberOfRecordSets: readOnly(Type.Integer({ default: 25000 })),
    maxNumberOfVirtualNetworkLinks: readOnly(Type.Integer({ default: 1000 })),
    maxNumberOfVirtualNetworkLinksWithRegistration: readOnly(Type.Integer({ default: 100 })),
  }),
  name: ZONE_NAME,
  etag: 'bare',
  noun: 'Zone',

  validate(next) {
    if (!RESERVED_NAMES.has(next.name.toLowerCase())) return
    throw new ArmError(400, {
      code: 'BadRequest',
      message: `The zone name '${next.name}' is reserved and cannot be created.`,
    })
  },

  async provisioned(zone, context) {
    const soa = `${zone.id}/SOA/@`
    if (await context.get(soa)) return
    await context.write(soa, { properties: INITIAL_SOA })
  },

  async deprovision(zone, context) {
    const [link] = await context.children(zone.id, LINK_TYPE)
    if (!link) return
    throw new ArmError(409, {
      code: 'CannotDeleteResource',
      message:
        'Cannot delete resource while nested resources exist. Some existing nested resource IDs include: ' +
        `'${ZONE_TYPE}/${zone.name}/virtualNetworkLinks/${link.name}'. ` +
        'Please delete all nested resources before deleting this resource.',
    })
  },

  async present(stored, context) {
    const links = await context.children<LinkProperties>(stored.id, LINK_TYPE)
    return {
      ...stored.properties,
      numberOfRecordSets: await countRecordSets(stored.id, context),
      numberOfVirtualNetworkLinks: links.length,
      numberOfVirtualNetworkLinksWithRegistration: links.filter(
        (link) => link.properties.registrationEnabled,
      ).length,
    }
  },
})

async function countRecordSets(zoneId: string, context: Context): Promise<number> {
  let count = 0
  for (const type of ['SOA', ...RECORD_KINDS.map((kind) => kind.type)]) {
    count += (await context.children(zoneId, `${ZONE_TYPE}/${type}`)).length
  }
  return count
}
