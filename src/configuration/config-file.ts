import { type Static, type TSchema, Type } from '../lib/schema.ts'
import { LOG_LEVELS } from './log-levels.ts'
import { WORKERS_MAX } from './workers-max.ts'

/** Mark of a value's schema: what would do, as the end of "give …". */
export const WANTED = 'x-wanted'

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = `${OCTET}(?:\\.${OCTET}){3}`
const PREFIX = `${IPV4}/(?:3[0-2]|[12]?\\d)`
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const HOST_NAME = `(?=[^/]*[A-Za-z])${LABEL}(?:\\.${LABEL})*`

const whole = (pattern: string): string => `^(?:${pattern})$`

const port = Type.Integer({
  minimum: 0,
  maximum: 65535,
  [WANTED]: 'a port, a number from 0 to 65535; 0 takes a free one',
})
const listenerPort = Type.Integer({
  minimum: 1,
  maximum: 65535,
  [WANTED]: 'a port, a number from 1 to 65535',
})
const address = Type.String({ pattern: whole(IPV4), [WANTED]: 'an IPv4 address' })
const path = Type.String({ minLength: 1, [WANTED]: 'the path of a file' })
const hostName = Type.String({
  pattern: whole(HOST_NAME),
  maxLength: 253,
  [WANTED]: 'a host name, such as causeway.example.com',
})
const prefix = Type.String({
  pattern: whole(PREFIX),
  [WANTED]: 'a prefix of addresses, such as 192.0.2.0/24',
})
const target = Type.String({
  pattern: whole(`${PREFIX}|${HOST_NAME}`),
  maxLength: 253,
  [WANTED]: 'a prefix of addresses, such as 10.0.0.0/8, or a host name',
})

const closed = { additionalProperties: false } as const
const listOf = <S extends TSchema>(item: S) => Type.Optional(Type.Array(item))
const listener = Type.Object({ address, port: listenerPort }, closed)

/** What a configuration file may say. A key that is left out has its default (docs/configuration.md). */
export const configFile = Type.Object(
  {
    dataFolder: Type.Optional(Type.String({ minLength: 1, [WANTED]: 'the path of a folder' })),
    port: Type.Optional(port),
    registryDomain: Type.Optional(
      Type.String({
        pattern: whole(`${LABEL}(?:\\.${LABEL})+`),
        // A registry's name has up to 50 characters, `.REGION.data.` up to 30: a host name has at most 253.
        maxLength: 170,
        [WANTED]: 'a domain of two labels or more, such as registry.example.com',
      }),
    ),
    registry: Type.Optional(
      Type.Object({ listeners: listOf(listener), advertisedAddresses: listOf(address) }, closed),
    ),
    controlPlane: Type.Optional(
      Type.Object({ listeners: listOf(listener), hostNames: listOf(hostName) }, closed),
    ),
    names: Type.Optional(
      Type.Object(
        {
          port: Type.Optional(port),
          listeners: listOf(
            Type.Object(
              { address, port: listenerPort, allowedClients: Type.Array(prefix) },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
    health: Type.Optional(Type.Object({ listeners: listOf(listener) }, closed)),
    certificates: listOf(Type.Object({ chainFile: path, keyFile: path }, closed)),
    logLevel: Type.Optional(
      Type.Enum([...LOG_LEVELS], { [WANTED]: `one of ${LOG_LEVELS.join(', ')}` }),
    ),
    egress: Type.Optional(
      Type.Object({ allow: listOf(target), authoritiesFile: Type.Optional(path) }, closed),
    ),
    cache: Type.Optional(
      Type.Object(
        {
          recheckSeconds: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 86_400,
              [WANTED]: 'a number of seconds from 0 to 86400',
            }),
          ),
        },
        closed,
      ),
    ),
    keyVault: Type.Optional(Type.Object({ secretsFile: Type.Optional(path) }, closed)),
    audit: Type.Optional(
      Type.Object(
        {
          retentionDays: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 3650,
              [WANTED]: 'a number of days from 1 to 3650',
            }),
          ),
        },
        closed,
      ),
    ),
    garbageCollection: Type.Optional(
      Type.Object(
        {
          graceHours: Type.Optional(
            Type.Number({
              minimum: 0,
              maximum: 8760,
              [WANTED]: 'a number of hours from 0 to 8760',
            }),
          ),
          intervalSeconds: Type.Optional(
            Type.Number({
              minimum: 1,
              maximum: 86_400,
              [WANTED]: 'a number of seconds from 1 to 86400',
            }),
          ),
        },
        closed,
      ),
    ),
    privateEndpointsPerRegistry: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, [WANTED]: 'a number from 1 to 10000' }),
    ),
    workers: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0, maximum: WORKERS_MAX }), Type.Literal('auto')], {
        [WANTED]: `a number of processes from 0 to ${WORKERS_MAX}, or auto`,
      }),
    ),
  },
  closed,
)

export type ConfigFile = Static<typeof configFile>
