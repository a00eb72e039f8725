import { setImmediate as nextTurn } from 'node:timers/promises'
import { CompiledQuery, type Kysely } from 'kysely'
import type { Tables } from '../storage/tables.ts'

/** Below a millisecond's worth: names and transfers go on in between. */
const ROWS_AT_ONCE = 100

/** Few forms, each of which stays prepared: pulls come by the thousand. */
const FORMS = [ROWS_AT_ONCE, 10, 1].map((rows) => ({
  rows,
  sql: `INSERT INTO audit_events (event) VALUES ${Array(rows).fill('(?)').join(', ')}`,
}))

/** Puts events, as `textOf` makes them, at the end of the trail, in this order. */
export async function insertEvents(
  kysely: Kysely<Tables>,
  texts: readonly string[],
): Promise<void> {
  let start = 0
  for (const { rows, sql } of FORMS) {
    for (; texts.length - start >= rows; start += rows) {
      if (start > 0 && start % ROWS_AT_ONCE === 0) await nextTurn()
      await kysely.executeQuery(CompiledQuery.raw(sql, texts.slice(start, start + rows)))
    }
  }
}
