const NAMES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const

/** How many answers there were, by response code. */
export interface RcodeTally {
  /** Counts an answer that is about to be sent. */
  count(response: Buffer): void
  read(): Readonly<Record<string, number>>
}

/** One increment for each answer; only the code in the header counts, which is all but BADVERS of EDNS. */
export function createRcodeTally(): RcodeTally {
  const counts = new Uint32Array(16)
  return {
    count(response) {
      const code = (response[3] ?? 0) & 0x0f
      counts[code] = (counts[code] ?? 0) + 1
    },
    read: () => Object.fromEntries(NAMES.map((name, code) => [name, counts[code] ?? 0])),
  }
}
