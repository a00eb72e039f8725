import { randomUUID } from 'node:crypto'
import type { Principal } from '../identity/principal.ts'
import type { ResourceRows } from '../storage/resource-rows.ts'
import { keyOf, parseResourceId } from './resource-id.ts'
import type { Context, PrivateLinkTarget, Resource, SystemData } from './resource-type.ts'
import type { Services } from './services.ts'

export type Rows = ResourceRows<SystemData>

export type ReadContext = Omit<Context, 'put' | 'delete' | 'write' | 'erase' | 'acceptEndpoint'>

/** The half of a hook's context that changes nothing. `whole` gives the context that types' own hooks are called with. */
export function readContext(
  services: Services,
  rows: Rows,
  principal: Principal,
  whole: () => Context,
): ReadContext {
  const { catalogue, settings, sealer } = services

  async function get<P>(id: string): Promise<Resource<P> | undefined> {
    const parsed = parseResourceId(id)
    const type = parsed && catalogue.type(parsed.type)
    const found = await type?.find?.(id, whole())
    if (found) return found as Resource<P>
    return (await rows.byKey(parsed?.key ?? keyOf(id))) as Resource<P> | undefined
  }

  return {
    now: services.clock.now(),
    principal,
    settings,
    uuid: () => randomUUID(),
    get,
    async children<P>(parentId: string, type: string) {
      const found = await rows.byParent(keyOf(parentId), canonicalType(services, type))
      return found as readonly Resource<P>[]
    },
    count: (parentId, type) => rows.countByParent(keyOf(parentId), canonicalType(services, type)),
    async all<P>(type: string) {
      return (await rows.byType(canonicalType(services, type))) as readonly Resource<P>[]
    },
    async referrers<P>(id: string, type: string, atMost?: number) {
      const found = await rows.referrers(keyOf(id), canonicalType(services, type), atMost)
      return found as readonly Resource<P>[]
    },
    isAllowed: (action, scope) => services.authorizer.isAllowed(principal, action, scope),
    async privateLinkTarget(id): Promise<PrivateLinkTarget | undefined> {
      const resource = await get<never>(id)
      const link = resource && catalogue.type(resource.type)?.privateLink
      if (!link) return undefined
      return {
        resource,
        connectionType: link.connectionType,
        approvalAction: link.approvalAction,
        groups: await link.groups(resource, whole()),
      }
    },
    seal: (text) => sealer.seal(text),
    unseal: (sealed) => sealer.unseal(sealed),
  }
}

const canonicalType = (services: Services, type: string): string =>
  services.catalogue.type(type)?.type ?? type
