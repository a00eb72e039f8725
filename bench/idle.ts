/**
 * What a server costs that nobody uses, and how long it takes to start: the set-up of `npm start`, on a folder of its own.
 * Exit code 1 when a figure is above its goal.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { stdout } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { workersFor } from '../src/config.ts'
import { type MeasuredServer, type StartTimes, startMeasured } from './measured-server.ts'
import { coreSeconds, proportionalBytes } from './process-figures.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    starts: { type: 'string', default: '5' },
    workers: { type: 'string', default: String(workersFor(availableParallelism())) },
  },
})

const MEBIBYTE = 2 ** 20
const WORKERS = Number(values.workers)
const MEMORY_GOAL = 160
const MEMORY_GOAL_EACH_WORKER = 50
const QUIET_SECONDS = 5
const QUIET_SECONDS_MAX = 120
// One tick of the kernel's clock in a second.
const QUIET_CORE_SECONDS = 0.01

interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly digits: number
  readonly goal?: number
}

const root = await mkdtemp(join(tmpdir(), 'cw-idle-'))
try {
  const figures = await measure()
  if (values.json) stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
  else show(figures)
  if (figures.some(isAbove)) process.exitCode = 1
} finally {
  await rm(root, { recursive: true })
}

async function measure(): Promise<readonly Figure[]> {
  const starts = Number(values.starts)
  tell('the first start, with the set-up')
  const first = await startMeasured(root, 'cached', WORKERS)
  const idle = await withServer(first, async () => {
    await first.answers()
    return measureIdle(first)
  })
  tell(`${starts} starts with the compiled sources in the cache, and ${starts} without`)
  const warm = await repeat(starts, 'cached')
  const cold = await repeat(starts, 'anew')
  return [
    ...idle,
    { name: 'first start: ready', value: first.times.ready, unit: 'ms', digits: 0 },
    { name: 'warm start: ready', value: median(warm, 'ready'), unit: 'ms', digits: 0, goal: 1500 },
    { name: 'warm start: proven', value: median(warm, 'proven'), unit: 'ms', digits: 0 },
    { name: 'cold start: ready', value: median(cold, 'ready'), unit: 'ms', digits: 0 },
  ]
}

async function measureIdle(server: MeasuredServer): Promise<readonly Figure[]> {
  const waited = await untilQuiet(server)
  const pids = await server.processes()
  const bytes = await proportionalBytes(pids)
  const seconds = Number(values.seconds)
  tell(`quiet after ${waited} s; ${pids.length} processes for ${seconds} s`)
  const before = await coreSeconds(pids)
  const began = performance.now()
  await delay(seconds * 1000)
  const share = ((await coreSeconds(pids)) - before) / ((performance.now() - began) / 1000)
  return [
    {
      name: 'memory (PSS)',
      value: bytes / MEBIBYTE,
      unit: 'MiB',
      digits: 1,
      goal: MEMORY_GOAL + WORKERS * MEMORY_GOAL_EACH_WORKER,
    },
    { name: 'processor', value: share * 100, unit: '% of a core', digits: 2, goal: 0.5 },
  ]
}

/** Waits until the processes have done next to nothing for a while; returns the seconds that it took. */
async function untilQuiet(server: MeasuredServer): Promise<number> {
  let quiet = 0
  let last = await coreSeconds(await server.processes())
  for (let second = 1; second <= QUIET_SECONDS_MAX; second += 1) {
    await delay(1000)
    const now = await coreSeconds(await server.processes())
    quiet = now - last <= QUIET_CORE_SECONDS ? quiet + 1 : 0
    last = now
    if (quiet === QUIET_SECONDS) return second
  }
  throw new Error(`the server was not quiet within ${QUIET_SECONDS_MAX} s`)
}

async function repeat(count: number, compile: 'cached' | 'anew'): Promise<readonly StartTimes[]> {
  const times: StartTimes[] = []
  for (let number = 0; number < count; number += 1) {
    const server = await startMeasured(root, compile, WORKERS)
    times.push(await withServer(server, async () => server.times))
  }
  return times
}

async function withServer<T>(server: MeasuredServer, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    await server.end()
  }
}

function median(times: readonly StartTimes[], name: keyof StartTimes): number {
  const sorted = times.map((each) => each[name]).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function isAbove({ value, goal }: Figure): boolean {
  return goal !== undefined && !(value <= goal)
}

function show(figures: readonly Figure[]): void {
  for (const figure of figures) {
    const { name, value, unit, digits, goal } = figure
    const measured = `${value.toFixed(digits).padStart(7)} ${unit.padEnd(12)}`
    const wanted = goal === undefined ? '' : `goal: ${goal} ${isAbove(figure) ? '✗' : '✓'}`
    stdout.write(`${name.padEnd(20)} ${measured} ${wanted}\n`)
  }
}

function tell(text: string): void {
  if (!values.json) stdout.write(`… ${text}\n`)
}
