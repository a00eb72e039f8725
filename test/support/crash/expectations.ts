import { AssertionError } from 'node:assert/strict'
import { NoAnswer } from '../place-agent.ts'

/** What something is seen to be; undefined for what is not there. */
export type Seen = string | undefined

/** Things that change together, or not at all. */
export type Change = ReadonlyMap<string, Seen>

/** What must be there: all that was acknowledged; and of what was asked without an answer, all or nothing. */
export interface Expectations {
  /** Notes the outcome of one request. @throws NoAnswer, after noting that the outcome is open */
  attempt(change: Change, ask: () => Promise<'acknowledged' | 'refused'>): Promise<void>
  now(key: string): Seen
  keys(): readonly string[]
  /** Compares with what is there, and expects from now on what was found. @throws AssertionError */
  settle(look: (key: string) => Promise<Seen>): Promise<void>
}

export function createExpectations(): Expectations {
  const known = new Map<string, Seen>()
  const open = new Set<Change>()
  const apply = (change: Change) => {
    for (const [key, value] of change) known.set(key, value)
  }
  return {
    async attempt(change, ask) {
      open.add(change)
      const outcome = await ask()
      open.delete(change)
      if (outcome === 'acknowledged') apply(change)
    },
    now: (key) => known.get(key),
    keys: () => [...known.keys()],
    async settle(look) {
      const found = new Map<string, Seen>()
      const keys = new Set([...known.keys(), ...[...open].flatMap((change) => [...change.keys()])])
      for (const key of keys) found.set(key, await look(key))
      for (const change of open) {
        const isDone = [...change].every(([key, value]) => found.get(key) === value)
        if (isDone) apply(change)
      }
      open.clear()
      const wrong = [...known].filter(([key, value]) => found.get(key) !== value)
      if (wrong.length === 0) return
      throw new AssertionError({
        message: wrong
          .map(([key, value]) => `${key}: ${value} was acknowledged, ${found.get(key)} is there`)
          .join('\n'),
      })
    },
  }
}

/** Repeats work until it is told to stop, or no answer comes any more. */
export async function repeat(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    while (!signal.aborted) await work()
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
  }
}
