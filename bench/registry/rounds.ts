import type { Job } from './job.ts'
import { median } from './job.ts'
import { type Measured, measure, type Quiet } from './measure.ts'
import type { Target, TargetName } from './target.ts'

/** What a target made of a test: medians of its quiet rounds. */
export interface Result {
  readonly target: TargetName
  /** Units a second. */
  readonly rate: number
  readonly best: number
  /** What one unit costs the server, in milliseconds of a core. */
  readonly serverMs: number
  readonly p50?: number
  readonly p99?: number
  readonly peakBytes: number
  readonly noise: number
  /** How many rounds were quiet. */
  readonly rounds: number
}

const NOISE_MAX = 0.1
const NOISE_ABOVE_LEAST = 0.05

/** Every target once in each round, in turn, and the other way round in every second: what drifts meets all alike. */
export async function runRounds(
  job: Job,
  targets: readonly Target[],
  options: { readonly rounds: number; readonly quiet: Quiet },
): Promise<readonly Result[]> {
  const measured = new Map<TargetName, Measured[]>(targets.map(({ name }) => [name, []]))
  for (let round = 0; round < options.rounds; round += 1) {
    for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
      measured.get(target.name)?.push(await measure(target, job, options.quiet))
    }
  }
  return [...measured].map(([target, rounds]) => summarize(target, rounds))
}

function summarize(target: TargetName, all: readonly Measured[]): Result {
  const least = Math.min(...all.map(({ noise }) => noise))
  const limit = Math.max(NOISE_MAX, least + NOISE_ABOVE_LEAST)
  const quiet = all.filter(({ noise }) => noise <= limit)
  const of = (figure: (round: Measured) => number) => median(quiet.map(figure))
  const [first] = quiet
  return {
    target,
    rate: of(({ units, seconds }) => units / seconds),
    best: Math.max(...all.map(({ units, seconds }) => units / seconds)),
    serverMs: of(({ serverSeconds, units }) => (serverSeconds / units) * 1000),
    ...(first?.p50 !== undefined && { p50: of((round) => round.p50 ?? Number.NaN) }),
    ...(first?.p99 !== undefined && { p99: of((round) => round.p99 ?? Number.NaN) }),
    peakBytes: Math.max(...quiet.map((round) => round.peakBytes)),
    noise: of(({ noise }) => noise),
    rounds: quiet.length,
  }
}
