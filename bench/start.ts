/**
 * How long a start takes after a crash: from the call of `causeway up` until programs in places, which outlived the crash,
 * reach control plane, registry and names again. Exit code 1 when a single start is above its goal.
 */
import assert from 'node:assert/strict'
import { stdout } from 'node:process'
import { parseArgs } from 'node:util'
import { createArmClient } from '../test/support/arm-client.ts'
import { type Causeway, internet, startCauseway } from '../test/support/causeway.ts'
import { type PlaceAgent, startAgent } from '../test/support/place-agent.ts'
import { connect, makeGroup, makeNetwork, makeRegistry } from '../test/support/private-registry.ts'
import { coreSecondsWithChildren, descendantsOf } from './process-figures.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    starts: { type: 'string', default: '20' },
    workers: { type: 'string' },
  },
})

const GOAL_MS = 1500

interface Start {
  /** Milliseconds until `up` says that it serves. */
  readonly served: number
  /** Milliseconds until everything was reached from every place. */
  readonly answering: number
  /** Milliseconds of cores that the server has taken by then, with all that it started. */
  readonly core: number
}

const { workers } = values
const causeway = await startCauseway(workers === undefined ? {} : { workers: Number(workers) })
let starts: readonly Start[]
try {
  starts = await measure(Number(values.starts))
} finally {
  await causeway.remove()
}
if (values.json) stdout.write(`${JSON.stringify(starts)}\n`)
else show(starts)
if (starts.some(({ answering }) => answering >= GOAL_MS)) process.exitCode = 1

async function measure(count: number): Promise<readonly Start[]> {
  const { yard, field } = await prepare(causeway)
  const agents = new Map([
    [await startAgent(causeway, internet), yard],
    [await startAgent(causeway, { vnet: 'yard' }), yard],
    [await startAgent(causeway, { vnet: 'field' }), field],
  ])
  const all: Start[] = []
  for (let number = 0; number < count; number += 1) {
    assert.equal(await causeway.end('SIGKILL'), 137)
    const began = performance.now()
    await causeway.startAgain()
    const served = performance.now() - began
    await Promise.all([...agents].map((each) => reachEverything(...each)))
    const answering = performance.now() - began
    const pids = await descendantsOf(causeway.serverPid())
    all.push({ served, answering, core: (await coreSecondsWithChildren(pids)) * 1000 })
  }
  for (const agent of agents.keys()) await agent.end()
  return all
}

/** Two networks with a private endpoint to a registry each. Returns the login servers. */
async function prepare(on: Causeway): Promise<{ readonly yard: string; readonly field: string }> {
  const arm = await createArmClient(on)
  const make = async (name: string): Promise<string> => {
    const group = await makeGroup(arm, name)
    const registry = await makeRegistry(arm, group, `start${name}`)
    await connect(arm, await makeNetwork(arm, group, name), registry)
    return registry.loginServer
  }
  return { yard: await make('yard'), field: await make('field') }
}

async function reachEverything(agent: PlaceAgent, loginServer: string): Promise<void> {
  const metadata = 'https://management.azure.com/metadata/endpoints?api-version=2020-01-01'
  assert.equal((await agent.request(metadata)).status, 200)
  assert.equal((await agent.request(`https://${loginServer}/v2/`)).status, 401)
}

function show(all: readonly Start[]): void {
  for (const name of ['served', 'answering', 'core'] as const) {
    const sorted = all.map((each) => Math.round(each[name])).toSorted((a, b) => a - b)
    const [p50, p90] = [0.5, 0.9].map((part) => sorted[Math.floor(sorted.length * part)])
    const figures = `min ${sorted[0]}, p50 ${p50}, p90 ${p90}, max ${sorted.at(-1)} ms`
    stdout.write(`${name.padEnd(10)} ${figures}\n`)
  }
}
