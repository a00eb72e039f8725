import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { Selectable } from 'kysely'
import type { AuditEventsTable } from '../storage/event-tables.ts'

export type AuditRow = Readonly<Selectable<AuditEventsTable>>

export interface AuditFilter {
  readonly table?: AuditRow['kind']
  /** A registry's name or login server. */
  readonly registry?: string
  readonly repository?: string
  /** ISO 8601; events from then on. */
  readonly since?: string
}

export interface AuditQuery extends AuditFilter {
  /** Upwards: what came after this id. */
  readonly after?: number
  /** Downwards: what came before this id; without `after` and `before`, from the end. */
  readonly before?: number
  readonly limit: number
}

/** Rows in the order of their ids, whichever way they were looked for. */
export interface AuditPage {
  readonly rows: readonly AuditRow[]
  /** How far it looked: the next `after` or `before`, also of an empty page. */
  readonly reached: number
  /** Whether there is more to look at in this direction now. */
  readonly hasMore: boolean
  /** The id of the newest event there is, wanted or not. */
  readonly newest: number
}

export interface AuditReader {
  /**
   * Looks at a bounded number of rows, however few of them are wanted: a page may be empty although there is a next one.
   */
  page(query: AuditQuery): AuditPage
}

/** About ten milliseconds' worth: nothing else runs meanwhile. */
const ROWS_LOOKED_AT = 5000
// Ids follow the order of writing, times that of asking: a long push is written when it is done.
const DISORDER_MS = 60 * 60 * 1000

/** Reads the audit trail. */
export function createAuditReader(reader: DatabaseSync): AuditReader {
  const last = reader.prepare('SELECT max(id) AS id FROM audit_events')
  const first = reader.prepare('SELECT min(id) AS id FROM audit_events')
  const from = reader.prepare('SELECT id, time FROM audit_events WHERE id >= ? ORDER BY id LIMIT 1')

  const idOf = (statement: typeof last): number => Number(statement.get()?.id ?? 0)

  /** The first id whose event is not older, give or take the disorder: found by halves. */
  function startOf(since: string): number {
    const time = new Date(Date.parse(since) - DISORDER_MS).toISOString()
    let [low, high] = [idOf(first), idOf(last) + 1]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const row = from.get(middle)
      if (row && String(row.time) < time) low = Number(row.id) + 1
      else high = middle
    }
    return low
  }

  function rowsIn(low: number, high: number, query: AuditQuery, order: 'ASC' | 'DESC') {
    const { conditions, values } = conditionsOf(query)
    const statement = reader.prepare(
      `SELECT * FROM audit_events WHERE id >= ? AND id < ?${conditions} ORDER BY id ${order} LIMIT ?`,
    )
    return statement.all(low, high, ...values, query.limit) as unknown as readonly AuditRow[]
  }

  return {
    page(query) {
      const bottom = query.since === undefined ? idOf(first) : startOf(query.since)
      const newest = idOf(last)
      const top = newest + 1
      if (query.after !== undefined) {
        const low = Math.max(query.after + 1, bottom)
        const high = Math.min(low + ROWS_LOOKED_AT, top)
        const rows = rowsIn(low, high, query, 'ASC')
        const reached = rows.length === query.limit ? (rows.at(-1)?.id ?? low) : high - 1
        return { rows, reached, hasMore: reached < newest, newest }
      }
      const high = Math.min(query.before ?? top, top)
      const low = Math.max(high - ROWS_LOOKED_AT, bottom)
      const rows = rowsIn(low, high, query, 'DESC')
      const reached = rows.length === query.limit ? (rows.at(-1)?.id ?? low) : low
      return { rows: rows.toReversed(), reached, hasMore: reached > bottom, newest }
    },
  }
}

function conditionsOf({ table, registry, repository, since }: AuditFilter) {
  const parts: { readonly sql: string; readonly values: readonly SQLInputValue[] }[] = []
  if (table !== undefined) parts.push({ sql: 'kind = ?', values: [table] })
  if (registry !== undefined) {
    const name = registry.toLowerCase()
    const label = `${name}.`
    parts.push({
      sql: '(login_server = ? OR substr(login_server, 1, ?) = ?)',
      values: [name, label.length, label],
    })
  }
  if (repository !== undefined) parts.push({ sql: 'repository = ?', values: [repository] })
  if (since !== undefined) {
    parts.push({ sql: 'time >= ?', values: [new Date(since).toISOString()] })
  }
  return {
    conditions: parts.map(({ sql }) => ` AND ${sql}`).join(''),
    values: parts.flatMap(({ values }) => values),
  }
}
