import type { Principal } from '../identity/principal.ts'
import { deleteResource } from './delete-resource.ts'
import { invalidResourceType } from './gateway-errors.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { placeOf } from './parents.ts'
import { putResource } from './put-resource.ts'
import { type Rows, readContext } from './read-context.ts'
import { parseResourceId, type ResourceId } from './resource-id.ts'
import type { Context, ResourceType } from './resource-type.ts'
import type { Services } from './services.ts'

/** Everything that one transaction works with. */
export interface Unit {
  readonly services: Services
  readonly ledger: Ledger
  readonly context: Context
}

/** The context of hooks over the rows of one transaction, and the ledger behind it. */
export function createUnit(services: Services, rows: Rows, principal: Principal): Unit {
  const ledger = createLedger(services, rows, principal)
  const reads = readContext(services, rows, principal, () => context)
  const context: Context = {
    ...reads,
    async acceptEndpoint(targetId, endpointId) {
      const target = await reads.get<never>(targetId)
      const link = target && services.catalogue.type(target.type)?.privateLink
      if (!link) throw new Error(`${targetId} takes no endpoints`)
      await link.accept(target, endpointId, context)
    },
    async put(id, body) {
      const { parsed, type } = resolve(services, id)
      const { location, tags, top, properties } = body
      const raw = { location, tags, top: top ?? {}, properties }
      return (await putResource(unit, type, parsed, raw)).resource
    },
    async delete(id) {
      const { parsed, type } = resolve(services, id)
      await deleteResource(unit, type, parsed)
    },
    async write(id, body) {
      const { parsed, type } = resolve(services, id)
      const previous = await rows.byKey(parsed.key)
      return ledger.store(
        {
          id: previous?.id ?? (await placeOf(services, rows, type, parsed)).id,
          type: type.type,
          name: previous?.name ?? parsed.name,
          ...(body.location !== undefined && { location: body.location }),
          ...(body.tags !== undefined && { tags: body.tags }),
          top: body.top ?? {},
          properties: body.properties,
        },
        'touched',
      )
    },
    erase: (id) => ledger.remove(parseResourceId(id)?.id ?? id),
  }
  const unit: Unit = { services, ledger, context }
  return unit
}

function resolve(
  services: Services,
  id: string,
): { readonly parsed: ResourceId; readonly type: ResourceType } {
  const parsed = parseResourceId(id)
  const type = parsed && services.catalogue.type(parsed.type)
  if (!parsed || !type) throw invalidResourceType(parsed?.namespace ?? id, '')
  return { parsed, type }
}
