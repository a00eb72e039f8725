import { randomUUID } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Database } from '../storage/database.ts'
import type { PrincipalRow } from '../storage/principal-tables.ts'
import { checkPrincipalName, nameKey, PrincipalExists } from './principal-name.ts'

/** What a service principal is registered as. */
export interface Application {
  /** Its own object id, which is not that of its service principal. */
  readonly id: string
  readonly appId: string
  readonly displayName: string
  readonly createdAt: string
  /** Its credentials are kept under this id; the id of the service principal, where there is one. */
  readonly objectId: string
  readonly isEnrolled: boolean
}

export interface Applications {
  /** By name. */
  list(): Promise<readonly Application[]>
  /** Without a service principal and without credentials. @throws PrincipalExists, InvalidPrincipalName */
  create(displayName: string): Promise<Application>
  /** @throws PrincipalExists, InvalidPrincipalName */
  rename(id: string, displayName: string): Promise<void>
  /** Its service principal, credentials and tokens go with it. */
  delete(id: string): Promise<void>
  /** Gives an application its service principal. */
  enroll(id: string): Promise<void>
  /** Takes the service principal away. The application keeps its credentials; a later service principal is another one. */
  withdraw(id: string): Promise<void>
}

/** Applications in the metadata store: they share their rows with the service principals. */
export function createApplications(options: { database: Database; clock: Clock }): Applications {
  const { kysely } = options.database
  return {
    async list() {
      const rows = await kysely
        .selectFrom('principals')
        .selectAll()
        .where('application_id', 'is not', null)
        .orderBy('name_key')
        .execute()
      return rows.map(toApplication)
    },

    async create(displayName) {
      checkPrincipalName(displayName)
      const row: PrincipalRow = {
        object_id: randomUUID(),
        app_id: randomUUID(),
        application_id: randomUUID(),
        display_name: displayName,
        name_key: nameKey(displayName),
        kind: 'ServicePrincipal',
        created_at: options.clock.now().toISOString(),
        is_enrolled: 0,
      }
      const result = await kysely
        .insertInto('principals')
        .values(row)
        .onConflict((conflict) => conflict.column('name_key').doNothing())
        .executeTakeFirst()
      if (result.numInsertedOrUpdatedRows !== 1n) throw new PrincipalExists(displayName)
      return toApplication(row)
    },

    async rename(id, displayName) {
      checkPrincipalName(displayName)
      await kysely.transaction().execute(async (transaction) => {
        const other = await transaction
          .selectFrom('principals')
          .select('object_id')
          .where('name_key', '=', nameKey(displayName))
          .where('application_id', 'is distinct from', id)
          .executeTakeFirst()
        if (other) throw new PrincipalExists(displayName)
        await transaction
          .updateTable('principals')
          .set({ display_name: displayName, name_key: nameKey(displayName) })
          .where('application_id', '=', id)
          .execute()
      })
    },

    async delete(id) {
      await kysely.deleteFrom('principals').where('application_id', '=', id).execute()
    },

    async enroll(id) {
      await kysely
        .updateTable('principals')
        .set({ is_enrolled: 1 })
        .where('application_id', '=', id)
        .execute()
    },

    async withdraw(id) {
      await kysely.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('principals')
          .selectAll()
          .where('application_id', '=', id)
          .executeTakeFirst()
        if (!row) return
        const moved = { object_id: randomUUID() }
        const of = row.object_id
        // What holds the new row and the old one apart until the old one is gone.
        const aside = { app_id: randomUUID(), name_key: randomUUID(), application_id: null }
        await transaction.updateTable('principals').set(aside).where('object_id', '=', of).execute()
        await transaction
          .insertInto('principals')
          .values({ ...row, ...moved, is_enrolled: 0 })
          .execute()
        await transaction
          .updateTable('principal_secrets')
          .set(moved)
          .where('object_id', '=', of)
          .where('owner', 'is', null)
          .execute()
        for (const table of ['principal_certificates', 'federated_credentials'] as const) {
          await transaction.updateTable(table).set(moved).where('object_id', '=', of).execute()
        }
        await transaction.deleteFrom('principals').where('object_id', '=', of).execute()
      })
    },
  }
}

const toApplication = (row: PrincipalRow): Application => ({
  id: row.application_id ?? '',
  appId: row.app_id,
  displayName: row.display_name,
  createdAt: row.created_at,
  objectId: row.object_id,
  isEnrolled: row.is_enrolled === 1,
})
