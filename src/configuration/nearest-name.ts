// More differences than this, and it is another word.
const DIFFERENCES_MAX = 3

/** The one of `names` that was probably meant by `name`; undefined where none is near. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  const measured = names.map((known) => ({
    known,
    steps: differences(wanted, known.toLowerCase()),
  }))
  const [best] = measured.sort((a, b) => a.steps - b.steps)
  if (!best || best.steps > Math.min(DIFFERENCES_MAX, Math.floor(best.known.length / 2))) {
    return undefined
  }
  return best.known
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
function differences(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY
  for (let row = 1; row <= from.length; row++) {
    rows[row] = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      rows[row]?.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (isSame ? 0 : 1),
          isSwapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  return at(from.length, to.length)
}
