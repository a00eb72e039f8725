import { invalidProperty } from '../../arm/arm-error.ts'
import { readOnly, secret } from '../../arm/marks.ts'
import { isSameId, parseResourceId } from '../../arm/resource-id.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { TOKEN_API_VERSIONS } from './api-versions.ts'
import { parentRegistry } from './parent-registry.ts'
import { childNotFound, quotaExceeded } from './registry-errors.ts'
import { SCOPE_MAP, TOKEN } from './registry-properties.ts'
import { SKU_LIMITS, skuOf } from './sku.ts'
import {
  credentialsInput,
  keptPassword,
  passwordsThatStay,
  showPassword,
} from './token-passwords.ts'

const tokenProperties = Type.Object({
  creationDate: Type.Optional(readOnly(Type.String())),
  provisioningState: Type.Optional(readOnly(Type.String())),
  scopeMapId: Type.String(),
  credentials: credentialsInput,
  status: Type.Enum(['enabled', 'disabled'], { default: 'enabled' }),
  /** In the order of their names. */
  keptPasswords: Type.Optional(readOnly(secret(Type.Array(keptPassword)))),
})

export type TokenProperties = Static<typeof tokenProperties>
export type Token = Resource<TokenProperties>

/** The user name with which refresh tokens are presented: a token so called could never sign in. */
const RESERVED_NAME = '00000000-0000-0000-0000-000000000000'

/** A user of one registry, with two passwords, who may do in its repositories what a scope map says. */
export const token = defineResourceType({
  type: TOKEN,
  apiVersions: TOKEN_API_VERSIONS,
  location: 'none',
  etag: 'none',
  showsSystemData: true,
  properties: tokenProperties,
  name: /^[a-zA-Z0-9-]{5,50}$/,
  notFound: childNotFound,

  references: ({ properties }) => [properties.scopeMapId],

  async validate(next, previous, context) {
    if (next.name === RESERVED_NAME) {
      throw invalidProperty('name', 'it is reserved for those who sign in with a refresh token.')
    }
    await findScopeMap(next, context)
    passwordsThatStay(next.properties.credentials, previous?.properties.keptPasswords ?? [])
    if (!previous) await requireRoom(next, context)
  },

  async provision(next, context) {
    const { properties } = next
    return {
      creationDate: properties.creationDate ?? context.now.toISOString(),
      provisioningState: 'Succeeded',
      scopeMapId: (await findScopeMap(next, context)).id,
      // What the client said of them has been done with this; it is not kept.
      credentials: {},
      keptPasswords: passwordsThatStay(properties.credentials, properties.keptPasswords ?? []),
    }
  },

  present: async ({ properties }) => ({
    creationDate: properties.creationDate,
    provisioningState: 'Succeeded',
    scopeMapId: properties.scopeMapId,
    credentials: { passwords: (properties.keptPasswords ?? []).map(showPassword) },
    status: properties.status,
  }),
})

/** @throws ArmError 400 unless it is a scope map, is there, and lies in the registry of the token. */
async function findScopeMap({ id, properties }: Token, context: Context): Promise<Resource> {
  const { scopeMapId } = properties
  const parsed = parseResourceId(scopeMapId)
  if (parsed?.type.toLowerCase() !== SCOPE_MAP.toLowerCase()) {
    throw invalidScopeMap(`'${scopeMapId}' is not the id of a scope map.`)
  }
  if (!isSameId(parsed.parent ?? '', parseResourceId(id)?.parent ?? '')) {
    throw invalidScopeMap(`'${scopeMapId}' lies in another registry.`)
  }
  const scopeMap = await context.get(parsed.id)
  if (!scopeMap) throw invalidScopeMap(`'${scopeMapId}' could not be found.`)
  return scopeMap
}

const invalidScopeMap = (reason: string) => invalidProperty('properties.scopeMapId', reason)

async function requireRoom({ id }: Token, context: Context): Promise<void> {
  const registry = await parentRegistry(id, context)
  const sku = skuOf(registry)
  const count = await context.count(registry.id, TOKEN)
  if (count >= SKU_LIMITS[sku].tokens) throw quotaExceeded('tokens', sku)
}
