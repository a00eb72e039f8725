import { readOnly } from '../../arm/marks.ts'
import { defineResourceType } from '../../arm/resource-type.ts'
import { Type } from '../../lib/schema.ts'
import { isDomainName } from './names.ts'
import {
  API_VERSIONS,
  commonProperties,
  presentRecordSet,
  requireTtl,
  ZONE_TYPE,
} from './record-set.ts'
import { recordNotFound, recordSetError } from './record-set-error.ts'

/** What a new zone starts with. Negative answers are short-lived: a record added late is seen after ten seconds. */
export const INITIAL_SOA = {
  ttl: 3600,
  soaRecord: {
    host: 'azureprivatedns.net',
    email: 'azureprivatedns-host.microsoft.com',
    serialNumber: 1,
    refreshTime: 3600,
    retryTime: 300,
    expireTime: 2419200,
    minimumTtl: 10,
  },
}

const initial = INITIAL_SOA.soaRecord
const seconds = (value: number) => Type.Integer({ default: value, minimum: 0, maximum: 2147483647 })

const soaRecord = Type.Object(
  {
    host: Type.String({ default: initial.host }),
    email: Type.String({ default: initial.email }),
    serialNumber: readOnly(Type.Integer({ default: initial.serialNumber })),
    refreshTime: seconds(initial.refreshTime),
    retryTime: seconds(initial.retryTime),
    expireTime: seconds(initial.expireTime),
    minimumTtl: seconds(initial.minimumTtl),
  },
  { default: {} },
)

/** A zone has one SOA, at its apex, from its first day to its last. */
export const soaRecordSet = defineResourceType({
  type: `${ZONE_TYPE}/SOA`,
  apiVersions: API_VERSIONS,
  location: 'none',
  properties: Type.Object({ ...commonProperties, soaRecord }),
  name: /^@$/,
  etag: 'bare',
  noun: 'Record set',
  bareErrors: true,
  writable: 'existing',
  notFound: recordNotFound,
  validate(next) {
    requireTtl(next.properties.ttl)
    for (const name of [next.properties.soaRecord.host, next.properties.soaRecord.email]) {
      if (isDomainName(name)) continue
      throw recordSetError(400, 'BadRequest', `The domain name '${name}' is invalid.`)
    }
  },
  deprovision() {
    throw recordSetError(400, 'BadRequest', 'The SOA record set of a zone cannot be deleted.')
  },
  present: async (stored) => presentRecordSet(stored),
})
