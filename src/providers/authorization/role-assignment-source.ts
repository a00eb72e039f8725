import { keyOf } from '../../arm/resource-id.ts'
import type { ResourceReader } from '../../arm/resource-reader.ts'
import type { Resource } from '../../arm/resource-type.ts'
import type { RoleAssignmentSource } from '../../identity/authorizer.ts'
import type { ChangeFeed } from '../../storage/change-feed.ts'
import { ROLE_ASSIGNMENT, type RoleAssignmentProperties } from './role-assignment.ts'

/** A role that somebody has at a scope. */
export interface RoleGrant {
  readonly objectId: string
  readonly scope: string
  readonly roleId: string
}

/** Role assignments in memory: loaded once, then kept by the change feed. */
export async function createRoleAssignmentSource(options: {
  readonly resources: Pick<ResourceReader, 'all' | 'get'>
  readonly feed: ChangeFeed
}): Promise<
  RoleAssignmentSource & {
    /** All of them, by the assignment's id; what is the same object is the same grant. */
    entries(): Iterable<readonly [id: string, grant: RoleGrant]>
  }
> {
  const { resources, feed } = options
  const grants = new Map<string, RoleGrant>()
  // Asked with every request, changed now and then.
  let byPrincipal: ReadonlyMap<string, readonly RoleGrant[]> = new Map()
  const regroup = () => {
    byPrincipal = Map.groupBy(grants.values(), (grant) => grant.objectId)
  }
  const keep = (assignment: Resource<RoleAssignmentProperties>) => {
    const { principalId, scope, roleDefinitionId } = assignment.properties
    const grant = { objectId: keyOf(principalId), scope, roleId: roleDefinitionId }
    grants.set(keyOf(assignment.id), grant)
  }

  feed.subscribe(async (changes) => {
    for (const { id, type } of changes) {
      if (type !== ROLE_ASSIGNMENT) continue
      const assignment = await resources.get<RoleAssignmentProperties>(id)
      if (assignment) keep(assignment)
      else grants.delete(keyOf(id))
      regroup()
    }
  })
  for (const each of await resources.all<RoleAssignmentProperties>(ROLE_ASSIGNMENT)) keep(each)
  regroup()

  return {
    assignmentsOf: (objectId) => byPrincipal.get(keyOf(objectId)) ?? [],
    entries: () => grants.entries(),
  }
}
