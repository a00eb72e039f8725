import type { Transaction } from 'kysely'
import type { Tables } from '../../storage/tables.ts'

export type RegistryTransaction = Transaction<Tables>

/** Where content lies: a registry's uid and one of its repositories. */
export interface RepositoryKey {
  readonly registry: string
  readonly repository: string
}
