import { keyOf } from '../../arm/resource-id.ts'
import type { ResourceReader } from '../../arm/resource-reader.ts'
import type { Resource } from '../../arm/resource-type.ts'
import type { CustomRoleSource, RolePermission } from '../../identity/authorizer.ts'
import type { ChangeFeed } from '../../storage/change-feed.ts'
import { guidOf } from './built-in-definition.ts'
import { ROLE_DEFINITION, type RoleDefinitionProperties } from './role-schema.ts'

/** The roles that people made, in memory: loaded once, then kept by the change feed. */
export async function createCustomRoleSource(options: {
  readonly resources: Pick<ResourceReader, 'all' | 'get'>
  readonly feed: ChangeFeed
}): Promise<
  CustomRoleSource & {
    nameOf(roleId: string): string | undefined
    /** All of them, by guid; what is the same object is the same role. */
    entries(): Iterable<readonly [roleId: string, permissions: readonly RolePermission[]]>
  }
> {
  const { resources, feed } = options
  const roles = new Map<string, RoleDefinitionProperties>()
  const keep = ({ id, properties }: Resource<RoleDefinitionProperties>) =>
    roles.set(guidOf(id), properties)

  feed.subscribe(async (changes) => {
    for (const { id, type } of changes) {
      if (type !== ROLE_DEFINITION) continue
      const role = await resources.get<RoleDefinitionProperties>(id)
      if (role) keep(role)
      else roles.delete(guidOf(id))
    }
  })
  for (const each of await resources.all<RoleDefinitionProperties>(ROLE_DEFINITION)) keep(each)

  return {
    permissionsOf: (roleId) => roles.get(keyOf(roleId))?.permissions,
    nameOf: (roleId) => roles.get(keyOf(roleId))?.roleName,
    entries: () => roles.entries().map(([roleId, { permissions }]) => [roleId, permissions]),
  }
}
