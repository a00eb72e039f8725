/** Some part of what one process knows, by key. An entry that has changed is another object. */
export type Table = () => Iterable<readonly [key: string, value: unknown]>

/** What has changed in one table, as plain data. */
export interface TableChange {
  readonly table: string
  readonly set: readonly (readonly [key: string, value: unknown])[]
  readonly removed: readonly string[]
}

/** The side that knows. */
export interface MirrorSource {
  /** Everything, for somebody who has nothing yet. */
  all(): readonly TableChange[]
  /** What is different since the last call, for those who have followed so far. */
  changes(): readonly TableChange[]
}

export function createMirrorSource(tables: Readonly<Record<string, Table>>): MirrorSource {
  const told = new Map(Object.keys(tables).map((name) => [name, new Map<string, unknown>()]))
  return {
    all: () =>
      Object.entries(tables).map(([table, entries]) => ({
        table,
        set: [...entries()],
        removed: [],
      })),
    changes: () =>
      Object.entries(tables).flatMap(([table, entries]) => {
        const before = told.get(table) ?? new Map<string, unknown>()
        const now = new Map(entries())
        told.set(table, now)
        const set = [...now].filter(([key, value]) => before.get(key) !== value)
        const removed = [...before.keys()].filter((key) => !now.has(key))
        return set.length + removed.length > 0 ? [{ table, set, removed }] : []
      }),
  }
}

/** The side that follows. */
export interface Mirror {
  apply(changes: readonly TableChange[]): void
  /** The table as it is now; what it holds is what the other side has put there. */
  table<T>(name: string): ReadonlyMap<string, T>
  /** Calls `listener` whenever a table has changed, after it has. */
  watch(name: string, listener: () => void): void
}

export function createMirror(): Mirror {
  const tables = new Map<string, Map<string, unknown>>()
  const listeners: { readonly name: string; readonly listener: () => void }[] = []
  const tableOf = (name: string): Map<string, unknown> => {
    const known = tables.get(name) ?? new Map<string, unknown>()
    tables.set(name, known)
    return known
  }
  return {
    apply(changes) {
      for (const { table, set, removed } of changes) {
        const entries = tableOf(table)
        for (const [key, value] of set) entries.set(key, value)
        for (const key of removed) entries.delete(key)
        for (const { name, listener } of listeners) if (name === table) listener()
      }
    },
    table: <T>(name: string) => tableOf(name) as ReadonlyMap<string, T>,
    watch: (name, listener) => void listeners.push({ name, listener }),
  }
}
