import type { EventTables } from './event-tables.ts'
import type { PrincipalTables } from './principal-tables.ts'
import type { RegistryTables } from './registry-tables.ts'
import type { ResourceTables } from './resource-tables.ts'

/** Every table there is. */
export type Tables = ResourceTables & PrincipalTables & RegistryTables & EventTables
