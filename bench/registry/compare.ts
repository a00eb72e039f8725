import type { Result } from './rounds.ts'
import type { TargetName } from './target.ts'
import { ENDPOINT_GOAL, type Test } from './tests.ts'

/** One line of the outcome: a test over one transport, ours beside theirs. */
export interface Comparison {
  readonly test: string
  readonly unit: Test['unit']
  readonly over: 'plain HTTP' | 'TLS' | 'endpoint'
  readonly ours: Result
  readonly theirs: Result
  /** Of the rates. */
  readonly ratio: number
  /** Of what a unit costs the server, theirs by ours: the one to look at while others use the machine. */
  readonly costRatio: number
  readonly goal?: number
  readonly isMissed: boolean
}

type Pair = readonly [over: Comparison['over'], ours: TargetName, theirs: TargetName]

const PAIRS: readonly Pair[] = [
  ['plain HTTP', 'causeway-plain', 'distribution-plain'],
  ['TLS', 'causeway', 'distribution'],
  ['endpoint', 'endpoint', 'public'],
]

export function compare(test: Test, results: readonly Result[]): readonly Comparison[] {
  const of = (name: TargetName) => results.find(({ target }) => target === name)
  return PAIRS.flatMap(([over, oursName, theirsName]) => {
    const [ours, theirs] = [of(oursName), of(theirsName)]
    if (!ours || !theirs) return []
    const goal = over === 'endpoint' ? ENDPOINT_GOAL : test.goal
    const ratio = ours.rate / theirs.rate
    return {
      test: test.name,
      unit: test.unit,
      over,
      ours,
      theirs,
      ratio,
      costRatio: theirs.serverMs / ours.serverMs,
      ...(goal !== undefined && { goal }),
      isMissed: goal !== undefined && !(ratio >= goal),
    }
  })
}

const MEBIBYTE = 2 ** 20
const COLUMNS = [
  ['test', -26],
  ['over', -10],
  ['Causeway', 10],
  ['other', 10],
  ['unit', -6],
  ['ratio', 7],
  ['goal', 8],
  ['CPU ms', 8],
  ['other', 8],
  ['ratio', 6],
  ['p99 ms', 8],
  ['other', 8],
  ['peak', 5],
  ['other', 5],
  ['noise', 6],
] as const

export const heading = (): string => line(COLUMNS.map(([title]) => title))

/** `other` is Distribution, and for an endpoint the public listener. */
export function row({ test, over, unit, goal, ...rest }: Comparison): string {
  const { ours, theirs, ratio, costRatio, isMissed } = rest
  const mebibytes = (bytes: number) => (bytes / MEBIBYTE).toFixed(0)
  const p99 = (result: Result) => result.p99?.toFixed(1) ?? '-'
  return line([
    test,
    over,
    ours.rate.toFixed(0),
    theirs.rate.toFixed(0),
    unit,
    `${ratio.toFixed(2)}x`,
    goal === undefined ? '-' : `${isMissed ? '✗' : '✓'} ${goal}x`,
    ours.serverMs.toFixed(3),
    theirs.serverMs.toFixed(3),
    costRatio.toFixed(2),
    p99(ours),
    p99(theirs),
    mebibytes(ours.peakBytes),
    mebibytes(theirs.peakBytes),
    `${(Math.max(ours.noise, theirs.noise) * 100).toFixed(0)} %`,
  ])
}

const line = (cells: readonly string[]): string =>
  COLUMNS.map(([title, width], index) => {
    const cell = cells[index] ?? title
    return width < 0 ? cell.padEnd(Math.abs(width)) : cell.padStart(width)
  }).join(' ')
