/** Chance that can be had again: the same seed gives the same numbers. */
export interface Chance {
  /** 0 ≤ n < limit */
  below(limit: number): number
  one<T>(of: readonly T[]): T
  bytes(length: number): Buffer
}

/** Mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit)
  return {
    below,
    one: (of) => of[below(of.length)] as (typeof of)[number],
    bytes(length) {
      const bytes = Buffer.alloc(length)
      for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(next(), Math.min(at, length - 4))
      return bytes
    },
  }
}
