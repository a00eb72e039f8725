import type { ArmError } from '../../arm/arm-error.ts'
import { readOnly } from '../../arm/marks.ts'
import { parseResourceId } from '../../arm/resource-id.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { Type } from '../../lib/schema.ts'
import { fqdnOf, RECORD_SET_NAME } from './names.ts'
import { RECORD_KINDS, type RecordKind } from './record-kind.ts'
import { recordNotFound, recordSetError } from './record-set-error.ts'

export const ZONE_TYPE = 'Microsoft.Network/privateDnsZones'
export const API_VERSIONS = ['2024-06-01', '2020-06-01', '2020-01-01', '2018-09-01']

const RECORDS_MAX = 20
const TTL_MAX = 2147483647

/** What record sets of every type have besides their records. */
export const commonProperties = {
  // No default and no bounds here: the service refuses a bad TTL in the words of record sets.
  ttl: Type.Optional(Type.Number()),
  metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
  fqdn: Type.Optional(readOnly(Type.String())),
  isAutoRegistered: Type.Optional(readOnly(Type.Boolean())),
}

/** Everything about a record set that its stored properties do not say; also for those that the platform writes. */
export function presentRecordSet(stored: Resource): Record<string, unknown> {
  const [zone = ''] = parseResourceId(stored.id)?.names ?? []
  return { ...stored.properties, fqdn: fqdnOf(stored.name, zone), isAutoRegistered: false }
}

/** @throws ArmError 400 BadRequest */
export function requireTtl(ttl: unknown): void {
  if (typeof ttl === 'number' && Number.isInteger(ttl) && ttl >= 0 && ttl <= TTL_MAX) return
  throw recordSetError(
    400,
    'BadRequest',
    `The TTL '${ttl ?? ''}' is not valid: it must be a number of seconds from 0 to ${TTL_MAX}.`,
  )
}

/** One resource type for each type of record set. */
export const recordSets = RECORD_KINDS.map(defineRecordSet)

function defineRecordSet(kind: RecordKind) {
  return defineResourceType({
    type: `${ZONE_TYPE}/${kind.type}`,
    apiVersions: API_VERSIONS,
    location: 'none',
    properties: Type.Object({ ...commonProperties, [kind.member]: kind.schema }),
    name: RECORD_SET_NAME,
    etag: 'bare',
    noun: 'Record set',
    bareErrors: true,
    patch: 'replace',
    notFound: recordNotFound,
    async validate(next, _previous, context) {
      requireTtl(next.properties.ttl)
      requireShortName(next)
      const fault = kind.findFault(next.properties)
      if (fault) throw recordSetError(400, 'BadRequest', fault)
      const count = kind.values(next.properties).length
      if (count > RECORDS_MAX) throw tooManyRecords(next, count)
      await requireNoAlias(next, kind, context)
    },
    present: async (stored) => presentRecordSet(stored),
  })
}

/** @throws ArmError 400 BadRequest */
function requireShortName(next: Resource): void {
  const [zone = ''] = parseResourceId(next.id)?.names ?? []
  const fqdn = fqdnOf(next.name, zone)
  if (fqdn.length <= 254) return
  throw recordSetError(400, 'BadRequest', `The domain name '${fqdn}' is invalid.`)
}

/** RFC 1034 §3.6.2: an alias stands alone at its name. The apex always has its SOA, so it never has an alias. */
async function requireNoAlias(next: Resource, kind: RecordKind, context: Context): Promise<void> {
  const zone = parseResourceId(next.id)?.parent ?? ''
  const isThere = async (type: string) =>
    (await context.get(`${zone}/${type}/${next.name}`)) !== undefined
  if (kind.type !== 'CNAME') {
    if (!(await isThere('CNAME'))) return
    throw recordSetError(
      409,
      'Conflict',
      'The record could not be created because a CNAME record with the same name already exists in this zone.',
    )
  }
  for (const type of ['SOA', ...RECORD_KINDS.map((other) => other.type)]) {
    if (type === 'CNAME' || !(await isThere(type))) continue
    throw recordSetError(
      409,
      'Conflict',
      'The CNAME record could not be created because another record with the same name already exists in this zone.',
    )
  }
}

const tooManyRecords = (next: Resource, count: number): ArmError =>
  recordSetError(
    409,
    'Conflict',
    `The Record set ${next.name} has ${count} records; at most ${RECORDS_MAX} are allowed.`,
  )
