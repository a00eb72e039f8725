import type { Kysely, Selectable } from 'kysely'
import type { OperationsTable } from './resource-tables.ts'
import type { Tables } from './tables.ts'

export type OperationRow = Readonly<Selectable<OperationsTable>>

/** The durable side of long operations. */
export interface OperationRows {
  insert(row: Pick<OperationRow, 'id' | 'kind' | 'target' | 'input'>, now: Date): Promise<void>
  byId(id: string): Promise<OperationRow | undefined>
  running(): Promise<readonly OperationRow[]>
  /** Counts one more try, before it is made. */
  begin(id: string): Promise<void>
  end(
    id: string,
    outcome: Pick<OperationRow, 'state' | 'error' | 'result'>,
    now: Date,
  ): Promise<void>
  forgetEndedBefore(time: Date): Promise<void>
}

export function operationRows(kysely: Kysely<Tables>): OperationRows {
  return {
    async insert(row, now) {
      await kysely
        .insertInto('operations')
        .values({ ...row, state: 'Running', tries: 0, started_at: now.toISOString() })
        .execute()
    },
    byId: (id) =>
      kysely.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirst(),
    running: () =>
      kysely
        .selectFrom('operations')
        .selectAll()
        .where('state', '=', 'Running')
        .orderBy('started_at')
        .execute(),
    async begin(id) {
      await kysely
        .updateTable('operations')
        .set((row) => ({ tries: row('tries', '+', 1) }))
        .where('id', '=', id)
        .execute()
    },
    async end(id, outcome, now) {
      await kysely
        .updateTable('operations')
        .set({ ...outcome, ended_at: now.toISOString() })
        .where('id', '=', id)
        .execute()
    },
    async forgetEndedBefore(time) {
      await kysely.deleteFrom('operations').where('ended_at', '<', time.toISOString()).execute()
    },
  }
}
