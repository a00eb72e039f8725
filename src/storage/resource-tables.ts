export type ResourceTables = Record<never, never>
