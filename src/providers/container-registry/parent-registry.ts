import { parseResourceId } from '../../arm/resource-id.ts'
import type { Context } from '../../arm/resource-type.ts'
import type { Registry } from './registry-properties.ts'

/** The registry that a resource lies in; undefined where there is none of that id. */
export async function findParentRegistry(
  id: string,
  context: Context,
): Promise<Registry | undefined> {
  const registryId = parseResourceId(id)?.parent
  return registryId ? context.get<Registry['properties']>(registryId) : undefined
}

/** The registry that a stored resource lies in. */
export async function parentRegistry(id: string, context: Context): Promise<Registry> {
  const registry = await findParentRegistry(id, context)
  if (!registry) throw new Error(`${id} lies in no registry`)
  return registry
}
