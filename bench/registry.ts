/**
 * The registry plane beside Debian's docker-registry (CNCF Distribution 2.8), in one run: rates, the server's own time on a
 * core for each request, and memory; plain, over TLS, and through a private endpoint. docs/benchmarks.md tells how to
 * read it. Exit code 1 when a goal is missed.
 */
import { stdout } from 'node:process'
import { parseArgs } from 'node:util'
import { proportionalBytes } from './process-figures.ts'
import { startPrivateCauseway } from './registry/causeway.ts'
import { type Comparison, compare, heading, row } from './registry/compare.ts'
import { startDistribution } from './registry/distribution.ts'
import { createQuiet, measure } from './registry/measure.ts'
import { startPlainCauseway } from './registry/plane.ts'
import { runRounds } from './registry/rounds.ts'
import type { Started, Target } from './registry/target.ts'
import { testsOf } from './registry/tests.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    secs: { type: 'string', default: '3' },
    'size-mib': { type: 'string', default: '100' },
    images: { type: 'string', default: '200' },
    tests: { type: 'string', default: 'manifest,head,get,push,small' },
    over: { type: 'string', default: 'plain,tls,endpoint' },
    // Seconds to wait, in all, for others to leave the machine alone.
    patience: { type: 'string', default: '120' },
    // Of the program; without it as many as it takes by itself.
    workers: { type: 'string' },
    // For the plane alone: `--cpu-prof`, say.
    'node-flags': { type: 'string', default: '' },
  },
})

const MEBIBYTE = 2 ** 20

interface Idle {
  readonly target: string
  /** Memory after the fixtures, pages shared out, in bytes. */
  readonly bytes: number
}

const over = new Set(values.over.split(','))
const sizes = {
  seconds: Number(values.secs),
  bytes: Number(values['size-mib']) * MEBIBYTE,
  images: Number(values.images),
}
const wanted = new Set(values.tests.split(','))
const tests = testsOf(sizes).filter(({ group }) => wanted.has(group))
const quiet = createQuiet(Number(values.patience))
const started: Started[] = []
// What was started ends with this process, also when it is interrupted.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
try {
  const targets = await startAll()
  const idle = await pushFixtures(targets)
  const comparisons = await runAll(targets)
  if (values.json) stdout.write(`${JSON.stringify({ idle, comparisons }, null, 2)}\n`)
  else for (const { target, bytes } of idle) tell(`idle ${target}: ${toMebibytes(bytes)} MiB`)
  if (comparisons.some(({ isMissed }) => isMissed)) process.exitCode = 1
} finally {
  for (const each of started.toReversed()) await each.end()
}

async function startAll(): Promise<readonly Target[]> {
  const start = async (starting: Promise<Started>) => {
    started.push(await starting)
  }
  if (over.has('plain')) {
    await start(startPlainCauseway(values['node-flags'].split(' ').filter((flag) => flag !== '')))
    await start(startDistribution('plain'))
  }
  if (over.has('tls')) await start(startDistribution('tls'))
  if (over.has('tls') || over.has('endpoint')) {
    const { workers } = values
    await start(startPrivateCauseway(workers === undefined ? undefined : Number(workers)))
  }
  const isAsked = ({ name }: Target) =>
    name === 'public' || name === 'endpoint' ? over.has('endpoint') : true
  return started.flatMap((each) => each.targets).filter(isAsked)
}

async function pushFixtures(targets: readonly Target[]): Promise<readonly Idle[]> {
  for (const target of targets) {
    await measure(target, { kind: 'fixture', bytes: sizes.bytes }, async () => {})
  }
  await quiet()
  return Promise.all(
    targets.map(async (target) => ({
      target: target.name,
      bytes: await proportionalBytes(await target.processes()),
    })),
  )
}

async function runAll(targets: readonly Target[]): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = []
  if (!values.json) tell(heading())
  for (const test of tests) {
    const taking = targets.filter(
      ({ name }) => test.byEndpoint || (name !== 'public' && name !== 'endpoint'),
    )
    const options = { rounds: Number(values.rounds), quiet }
    const compared = compare(test, await runRounds(test.job, taking, options))
    if (!values.json) for (const each of compared) tell(row(each))
    comparisons.push(...compared)
  }
  return comparisons
}

function toMebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(0)
}

function tell(text: string): void {
  stdout.write(`${text}\n`)
}
