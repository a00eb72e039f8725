import { ArmError } from '../../arm/arm-error.ts'
import { readOnly } from '../../arm/marks.ts'
import { parseResourceId } from '../../arm/resource-id.ts'
import { defineResourceType } from '../../arm/resource-type.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { TOKEN_API_VERSIONS } from './api-versions.ts'
import { findParentRegistry, parentRegistry } from './parent-registry.ts'
import { childNotFound, quotaExceeded } from './registry-errors.ts'
import { SCOPE_MAP, TOKEN } from './registry-properties.ts'
import { requireValidActions } from './scope-map-actions.ts'
import { SKU_LIMITS, skuOf } from './sku.ts'
import { asScopeMap, findSystemScopeMap, SYSTEM_SCOPE_MAPS } from './system-scope-maps.ts'

const scopeMapProperties = Type.Object({
  description: Type.Optional(Type.String({ maxLength: 256 })),
  type: Type.Optional(readOnly(Type.String())),
  creationDate: Type.Optional(readOnly(Type.String())),
  provisioningState: Type.Optional(readOnly(Type.String())),
  actions: Type.Array(Type.String()),
})

export type ScopeMapProperties = Static<typeof scopeMapProperties>

/** What the tokens that it is given to may do in which repositories. Some come with the registry and cannot be changed. */
export const scopeMap = defineResourceType({
  type: SCOPE_MAP,
  apiVersions: TOKEN_API_VERSIONS,
  location: 'none',
  etag: 'none',
  showsSystemData: true,
  properties: scopeMapProperties,
  name: /^[a-zA-Z0-9_-]{5,50}$/,
  notFound: childNotFound,

  home({ id, name }) {
    if (findSystemScopeMap(name)) throw systemDefined(name)
    return id
  },

  async validate(next, previous, context) {
    requireValidActions(next.properties.actions)
    if (previous) return
    const sku = skuOf(await parentRegistry(next.id, context))
    const count = await context.count(parseResourceId(next.id)?.parent ?? '', SCOPE_MAP)
    if (count >= SKU_LIMITS[sku].scopeMaps) throw quotaExceeded('scopeMaps', sku)
  },

  provision: ({ properties }, context) => ({
    type: 'UserDefined',
    creationDate: properties.creationDate ?? context.now.toISOString(),
    provisioningState: 'Succeeded',
  }),

  async deprovision({ id, name }, context) {
    const [user] = await context.referrers(id, TOKEN, 1)
    if (user) throw inUse(name, user.name)
  },

  async find(id, context) {
    const system = findSystemScopeMap(parseResourceId(id)?.name ?? '')
    const registry = system && (await findParentRegistry(id, context))
    return registry && asScopeMap(system, registry)
  },

  async list(registryId, _filter, context) {
    const registry = await context.get<never>(registryId)
    const own = await context.children<ScopeMapProperties>(registryId, SCOPE_MAP)
    return registry ? [...SYSTEM_SCOPE_MAPS.map((each) => asScopeMap(each, registry)), ...own] : own
  },

  present: async ({ properties }) => ({
    ...(properties.description !== undefined && { description: properties.description }),
    type: properties.type,
    creationDate: properties.creationDate,
    provisioningState: 'Succeeded',
    actions: properties.actions,
  }),
})

// How the service words these two refusals is not verified.

const systemDefined = (name: string) =>
  new ArmError(400, {
    code: 'SystemDefinedScopeMap',
    message: `The scope map '${name}' is defined by the system and cannot be changed or deleted. Create another one.`,
  })

const inUse = (name: string, token: string) =>
  new ArmError(409, {
    code: 'ScopeMapInUse',
    message: `The scope map '${name}' is in use by the token '${token}' and cannot be deleted. Give its tokens another scope map, or delete them.`,
  })
