import type { Kysely } from 'kysely'
import type { ProviderRegistrationsTable } from './resource-tables.ts'
import type { Tables } from './tables.ts'

export type RegistrationState = ProviderRegistrationsTable['state']

/** Which namespaces somebody registered or unregistered. */
export interface RegistrationRows {
  /** undefined where nobody ever said. */
  get(namespace: string): Promise<RegistrationState | undefined>
  set(namespace: string, state: RegistrationState): Promise<void>
}

export function registrationRows(kysely: Kysely<Tables>): RegistrationRows {
  return {
    async get(namespace) {
      const row = await kysely
        .selectFrom('provider_registrations')
        .select('state')
        .where('namespace_key', '=', namespace.toLowerCase())
        .executeTakeFirst()
      return row?.state
    },
    async set(namespace, state) {
      await kysely
        .insertInto('provider_registrations')
        .values({ namespace_key: namespace.toLowerCase(), state })
        .onConflict((conflict) => conflict.column('namespace_key').doUpdateSet({ state }))
        .execute()
    },
  }
}
