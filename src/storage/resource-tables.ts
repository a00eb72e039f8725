import type { Generated } from 'kysely'

/** One row for each resource; the document's parts are JSON. */
export interface ResourcesTable {
  /** The id in lower case. */
  key: string
  id: string
  /** In Azure's case, so that equality is enough. */
  type: string
  name: string
  /** The key of what it lies in. */
  parent_key: string
  location: string | null
  tags: string | null
  top: string
  properties: string
  etag: string
  system_data: string
}

/** Who points at whom; both ends are keys. The target need not exist (any more). */
export interface ResourceReferencesTable {
  source_key: string
  target_key: string
}

/** The change feed's memory: one row for each committed change. */
export interface ChangesTable {
  revision: Generated<number>
  id: string
  type: string
  kind: 'written' | 'deleted'
  changed_at: string
}

/** Namespaces whose registration somebody changed. */
export interface ProviderRegistrationsTable {
  namespace_key: string
  state: 'Registered' | 'NotRegistered'
}

/** Long operations; one that runs when the process ends is taken up again at the next start. */
export interface OperationsTable {
  id: string
  kind: string
  /** The id of the resource that it is about. */
  target: string
  state: 'Running' | 'Succeeded' | 'Failed'
  tries: number
  /** Sealed JSON: what was asked, by whom. */
  input: string
  /** JSON of an ARM error with its status. */
  error: string | null
  /** Sealed JSON of the answer's body. */
  result: string | null
  started_at: string
  ended_at: string | null
}

export interface ResourceTables {
  resources: ResourcesTable
  resource_references: ResourceReferencesTable
  changes: ChangesTable
  provider_registrations: ProviderRegistrationsTable
  operations: OperationsTable
}
