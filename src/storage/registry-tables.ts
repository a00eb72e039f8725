export type RegistryTables = Record<never, never>
