import type { Database } from '../storage/database.ts'
import { resourceRows } from '../storage/resource-rows.ts'
import { keyOf } from './resource-id.ts'
import type { Resource, SystemData } from './resource-type.ts'

/** Committed resources, for adapters that keep a view of them. Types are named in Azure's own case, ids in any. */
export interface ResourceReader {
  get<P = Record<string, unknown>>(id: string): Promise<Resource<P> | undefined>
  all<P = Record<string, unknown>>(type: string): Promise<readonly Resource<P>[]>
  children<P = Record<string, unknown>>(
    parentId: string,
    type: string,
  ): Promise<readonly Resource<P>[]>
}

/** Needs no control plane: what the control plane itself depends on (who has which role) may read by it. */
export function createResourceReader(database: Database): ResourceReader {
  const rows = resourceRows<SystemData>(database.kysely)
  return {
    async get<P>(id: string) {
      return (await rows.byKey(keyOf(id))) as Resource<P> | undefined
    },
    async all<P>(type: string) {
      return (await rows.byType(type)) as readonly Resource<P>[]
    },
    async children<P>(parentId: string, type: string) {
      return (await rows.byParent(keyOf(parentId), type)) as readonly Resource<P>[]
    },
  }
}
