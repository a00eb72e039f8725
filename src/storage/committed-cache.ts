import type { DatabaseSync } from 'node:sqlite'
import { commitVersionOf } from './commit-version.ts'

/** Remembers values read from the database, by keys that name what was read. */
export interface CommittedCache {
  /** What `read` returns, or returned since the last commit. `weigh` says how many bytes a value holds. */
  get<T>(key: string, read: () => T, weigh?: (value: T) => number): T
}

/** Beyond this a value is not worth its memory. */
const WEIGHT_MAX = 64 * 1024
const TOTAL_MAX = 8 * 1024 * 1024
/** What an entry holds beside its value, about. */
const OVERHEAD = 300

/**
 * A cache as exact as reading again: it is empty as soon as anybody, in whatever process, has committed anything that
 * this connection does not know of.
 */
export function createCommittedCache(reader: DatabaseSync): CommittedCache {
  const version = commitVersionOf(reader)
  const values = new Map<string, unknown>()
  let total = 0
  let seen: number | undefined

  function forget(): void {
    values.clear()
    total = 0
  }

  return {
    get<T>(key: string, read: () => T, weigh: (value: T) => number = () => 0): T {
      const now = version.now()
      if (now !== seen) forget()
      seen = now
      if (now === undefined) return read()
      const known = values.get(key)
      // The gate: a key stands for one statement with its values, and so for one type.
      if (known !== undefined) return known as T
      const value = read()
      const weight = weigh(value)
      if (value === undefined || weight > WEIGHT_MAX) return value
      if (total + weight + OVERHEAD > TOTAL_MAX) forget()
      total += weight + OVERHEAD
      values.set(key, value)
      return value
    },
  }
}
