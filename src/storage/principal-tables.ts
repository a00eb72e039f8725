export type PrincipalTables = Record<never, never>
