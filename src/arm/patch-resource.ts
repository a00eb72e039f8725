import { checkPreconditions, type Preconditions } from './preconditions.ts'
import type { RawBody } from './put-resource.ts'
import { putResource } from './put-resource.ts'
import type { ResourceId } from './resource-id.ts'
import type { Resource, ResourceType } from './resource-type.ts'
import { isObject } from './shape.ts'
import { parseTags } from './tags.ts'
import type { Unit } from './unit.ts'

/** Changes tags alone, or merges (RFC 7396; tags are replaced as a whole), as deep as the type has it. */
export async function patchResource(
  unit: Unit,
  type: ResourceType,
  id: ResourceId,
  previous: Resource,
  body: Readonly<Record<string, unknown>>,
  preconditions: Preconditions,
): Promise<Resource> {
  checkPreconditions(type, previous.name, previous, preconditions)
  if (type.patch === 'tags') {
    const tags = parseTags(body.tags) ?? previous.tags
    return unit.ledger.store({ ...previous, ...(tags && { tags }) }, 'touched')
  }
  const { location, tags, properties, ...top } = body
  const merged: RawBody = {
    location: location ?? previous.location,
    tags: tags ?? previous.tags,
    top: merge(previous.top, top),
    properties:
      properties === undefined
        ? previous.properties
        : merge(previous.properties, properties, type.patch === 'replace' ? 1 : undefined),
  }
  return (await putResource(unit, type, id, merged)).resource
}

/** Objects are merged `depth` levels deep; below that what is given stands alone. */
function merge(
  before: Readonly<Record<string, unknown>>,
  change: Readonly<Record<string, unknown>>,
): Record<string, unknown>
function merge(before: unknown, change: unknown, depth?: number): unknown
function merge(before: unknown, change: unknown, depth = Number.POSITIVE_INFINITY): unknown {
  if (!isObject(change) || depth === 0) return change
  const merged: Record<string, unknown> = isObject(before) ? { ...before } : {}
  // Member names are matched without regard to case, as in a PUT.
  const names = new Map(Object.keys(merged).map((name) => [name.toLowerCase(), name]))
  for (const [given, value] of Object.entries(change)) {
    const name = names.get(given.toLowerCase()) ?? given
    if (value === null) delete merged[name]
    else merged[name] = merge(merged[name], value, depth - 1)
  }
  return merged
}
