/**
 * What the registry plane costs as a registry grows: the same requests to registries that differ in one number alone, in
 * turn. Exit code 1 when a median of the largest is above its goal. `--plot FILE` draws what was found.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stdout } from 'node:process'
import { parseArgs } from 'node:util'
import { type Dimension, fill } from './growth/fill.ts'
import { OPERATIONS, type Operation, pushFixture, REPOSITORY } from './growth/operations.ts'
import { drawPlot } from './growth/plot.ts'
import { openSession, type Session } from './registry/client/session.ts'
import { median } from './registry/job.ts'
import { type Plane, startPlane } from './registry/plane.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    plot: { type: 'string' },
    only: { type: 'string', default: 'repositories,tags,blobs' },
    /** Divides the repetitions, for a quick look. */
    hurry: { type: 'string', default: '1' },
  },
})

/** The largest against the smallest. */
const GOAL = 1.5
const SIZES: Readonly<Record<Dimension, readonly number[]>> = {
  repositories: [10, 100, 1_000, 10_000],
  tags: [10, 1_000, 10_000, 100_000],
  blobs: [1_000, 10_000, 100_000, 1_000_000],
}

interface Median {
  readonly dimension: Dimension
  readonly operation: string
  readonly size: number
  readonly ms: number
  /** To that of the smallest. */
  readonly ratio: number
}

interface Grown {
  readonly size: number
  readonly plane: Plane
}

const sessionWith = ({ address, credentials }: Plane): Session =>
  openSession({ origin: `http://${address}`, credentials })

const wanted = values.only.split(',')
const dimensions = (Object.keys(SIZES) as Dimension[]).filter((each) => wanted.includes(each))
const medians: Median[] = []
for (const dimension of dimensions) medians.push(...(await measureGrowth(dimension)))
if (values.json) stdout.write(`${JSON.stringify(medians, null, 2)}\n`)
if (values.plot !== undefined) await writeFile(values.plot, drawPlot(panelsOf(medians), GOAL))
if (medians.some(isAbove)) process.exitCode = 1

async function measureGrowth(dimension: Dimension): Promise<readonly Median[]> {
  const all: Grown[] = []
  try {
    for (const size of SIZES[dimension]) all.push(await grow(dimension, size))
    // Anew: those of the fixtures have been idle for too long by now.
    const sessions = all.map(({ plane }) => sessionWith(plane))
    const found: Median[] = []
    for (const operation of OPERATIONS) {
      const times = await timeInTurn(operation, all, sessions)
      const [smallest = Number.NaN] = times.map(median)
      const of = all.map(({ size }, index) => {
        const ms = median(times[index] ?? [])
        return { dimension, operation: operation.name, size, ms, ratio: ms / smallest }
      })
      if (!values.json) show(of)
      found.push(...of)
    }
    return found
  } finally {
    for (const { end } of OPERATIONS) end?.()
    for (const { plane } of all) await plane.end()
  }
}

async function grow(dimension: Dimension, size: number): Promise<Grown> {
  const plane = await startPlane()
  const { folder, registry } = plane
  await pushFixture(sessionWith(plane))
  fill({ database: join(folder, 'causeway.db'), registry, repository: REPOSITORY }, dimension, size)
  return { size, plane }
}

/** Milliseconds of each time for each registry. The first few of each are not counted. */
async function timeInTurn(
  { before, run, times }: Operation,
  all: readonly Grown[],
  sessions: readonly Session[],
): Promise<readonly (readonly number[])[]> {
  const taken = sessions.map(() => [] as number[])
  const count = Math.max(5, Math.round(times / Number(values.hurry)))
  const warming = Math.ceil(count / 10)
  for (let time = -warming; time < count; time += 1) {
    const turn = [...all.entries()]
    for (const [index, { plane }] of time % 2 === 0 ? turn : turn.toReversed()) {
      const session = sessions[index]
      if (!session) continue
      await before?.(session)
      const began = performance.now()
      await run(session, plane)
      if (time >= 0) taken[index]?.push(performance.now() - began)
    }
  }
  return taken
}

function show(of: readonly Median[]): void {
  const cells = of.map(
    ({ size, ms }) => `${size.toLocaleString('en').padStart(9)}: ${ms.toFixed(2).padStart(6)} ms`,
  )
  const [largest] = of.slice(-1)
  if (!largest) return
  const { dimension, operation, ratio } = largest
  const verdict = `${ratio.toFixed(2)}x ${isAbove(largest) ? '✗' : '✓'}`
  stdout.write(`${dimension.padEnd(12)} ${operation.padEnd(22)} ${cells.join('  ')}  ${verdict}\n`)
}

function isAbove({ dimension, size, ratio }: Median): boolean {
  return size === SIZES[dimension].at(-1) && !(ratio <= GOAL)
}

function panelsOf(all: readonly Median[]) {
  return dimensions.map((dimension) => ({
    title: dimension,
    lines: OPERATIONS.map(({ name }) => ({
      name,
      points: all
        .filter((each) => each.dimension === dimension && each.operation === name)
        .map(({ size, ratio }) => [size, ratio] as const),
    })),
  }))
}
