import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { findHolder } from '../src/places/holder.ts'
import { describeDataFolder } from '../src/storage/data-folder.ts'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { armFrom, type Ground, loadArm, lookAt, succeeds } from './support/crash/arm-load.ts'
import { checkWorld, strayFiles } from './support/crash/check-world.ts'
import { createExpectations, repeat } from './support/crash/expectations.ts'
import {
  accessTokenFrom,
  loadImages,
  pull,
  type RegistryClient,
  registryFrom,
} from './support/crash/image-load.ts'
import { processes, processesOf } from './support/crash/processes.ts'
import { chanceFrom } from './support/crash/seeded-random.ts'
import { needs } from './support/needs.ts'
import { type PlaceAgent, startAgent } from './support/place-agent.ts'
import { makeGroup, makeNetwork, makeRegistry, ZONE } from './support/private-registry.ts'
import { failed, succeeded } from './support/run.ts'

const ROUNDS = Number(process.env.CAUSEWAY_CRASH_ROUNDS ?? 14)
const SEED = Number(process.env.CAUSEWAY_CRASH_SEED ?? Date.now() % 1_000_000)
/** What is killed, in turns. */
const TURNS = [
  ...['the server', 'the server as it starts', 'the server', 'the server as it ends'],
  ...['an opener of sockets', 'the server', 'a program and its exec', 'the holder'],
  ...['the server', 'the holder and the server'],
] as const
const network = { vnet: 'yard' }

describe('a server under load', {
  ...needs('places', 'ip', 'dig', 'curl'),
  timeout: 60_000 + ROUNDS * 40_000,
}, () => {
  const chance = chanceFrom(SEED)
  const [resources, images] = [createExpectations(), createExpectations()]
  const operations = new Set<string>()
  const startTimes: number[] = []
  let causeway: Causeway
  let ground: Ground
  let publicAddress: string
  let outside: PlaceAgent
  let inside: PlaceAgent
  let arm: ArmClient
  let registry: RegistryClient
  let token: string

  before(async () => {
    causeway = await startCauseway()
    ground = await prepare(await createArmClient(causeway))
    await sendPrograms()
    const addresses = await outside.resolve(loginServer())
    publicAddress = addresses[0] ?? ''
  })
  after(async () => {
    for (const agent of [outside, inside]) agent?.process.kill('SIGTERM')
    await causeway?.remove()
  })

  for (let round = 1; round <= ROUNDS; round++) {
    const killed = TURNS[(round - 1) % TURNS.length] ?? 'the server'
    test(`${round}: keeps what it acknowledged when somebody kills ${killed}`, async (t) => {
      t.diagnostic(`CAUSEWAY_CRASH_SEED=${SEED}`)
      await disturb(killed, t)
      await sendPrograms()
      for (const operation of operations) await succeeds(arm, operation)
      operations.clear()
      await resources.settle((key) => lookAt(arm, key))
      await images.settle((key) => pull(registry, outside, key))
      const kept = await outside.request(`https://${loginServer()}/v2/team/one/tags/list`, {
        headers: { authorization: `Bearer ${token}` },
      })
      assert.ok([200, 404].includes(kept.status), `the token from before: ${kept.status}`)
      await checkWorld(causeway, arm, ground, publicAddress)
      await nothingIsLeft()
    })
  }

  test('answers soon after each start', (t) => {
    const sorted = startTimes.toSorted((one, other) => one - other)
    const [median, ninth] = [0.5, 0.9].map((part) => sorted[Math.floor(sorted.length * part)])
    const times = `p50 ${median} ms, p90 ${ninth} ms, max ${sorted.at(-1)} ms`
    t.diagnostic(`${sorted.length} starts, exec to all answering: ${times}`)
    assert.ok(sorted.length > 0)
  })

  const loginServer = () => ground.registries[0]?.loginServer ?? ''

  /** Puts load on the server, kills something amid it, and has it serve again. */
  async function disturb(killed: (typeof TURNS)[number], t: TestContext): Promise<void> {
    const stop = new AbortController()
    const { signal } = stop
    const failures: string[] = []
    const report = (what: string) => void failures.push(what)
    const load = Promise.all([
      loadArm({ arm, ground, expected: resources, operations, failed: report, chance, signal }),
      loadImages({ registry, expected: images, chance, signal }),
      repeat(signal, async () => {
        token = await accessTokenFrom(outside, loginServer())
      }),
    ])
    const settle = async () => {
      stop.abort()
      await load
    }
    try {
      await delay(200 + chance.below(1200))
      await kill(killed, settle, t)
    } finally {
      await settle()
    }
    assert.deepEqual(failures, [])
  }

  async function kill(
    killed: (typeof TURNS)[number],
    settle: () => Promise<void>,
    t: TestContext,
  ): Promise<void> {
    if (killed === 'an opener of sockets') {
      t.diagnostic(`killed ${await killOpener()}`)
      return
    }
    if (killed === 'a program and its exec') return killPrograms()
    const holder = await findHolder((await describeDataFolder(causeway.dataFolder)).run)
    if (killed.startsWith('the holder') && holder) {
      process.kill(holder.pid, 'SIGKILL')
      if (killed === 'the holder') return untilServing(holder.pid)
      // What they are waiting for never comes: their network is gone.
      for (const agent of [outside, inside]) agent.process.kill('SIGTERM')
    }
    if (killed === 'the server as it ends') {
      const ended = causeway.end('SIGTERM')
      await delay(chance.below(300))
      await causeway.end('SIGKILL')
      await ended
    } else {
      assert.equal(await causeway.end('SIGKILL'), 137)
    }
    await settle()
    if (killed === 'the server as it starts') await causeway.dieStarting(chance.below(1000))
    assert.match(failed(await causeway.command(['status'])), /stopped: no server runs on /)
    if (chance.below(3) === 0) {
      assert.match(succeeded(await causeway.command(['down'])), /No server ran; no place is left\./)
      assert.deepEqual(await causeway.namespaces(), [])
      assert.equal(await findHolder((await describeDataFolder(causeway.dataFolder)).run), undefined)
      t.diagnostic('and took its places down')
    }
    await startAgain()
  }

  async function startAgain(): Promise<void> {
    const before = performance.now()
    await causeway.startAgain()
    if ((await programsWithNetwork()).length < 2) return
    for (const agent of [outside, inside]) await untilAnswering(agent)
    startTimes.push(Math.round(performance.now() - before))
  }

  /** Control plane, registry and names, as a program sees them that was there before the crash. */
  async function untilAnswering(agent: PlaceAgent): Promise<void> {
    const [first] = await agent.resolve('management.azure.com')
    assert.ok(first)
    const metadata = 'https://management.azure.com/metadata/endpoints?api-version=2020-01-01'
    assert.equal((await agent.request(metadata)).status, 200)
    assert.equal(await agent.connect(publicAddress, 443), 'open')
  }

  /** The server notices, and puts another holder in the place of this one. */
  async function untilServing(killed: number): Promise<void> {
    const { run } = await describeDataFolder(causeway.dataFolder)
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await delay(50)) {
      const holder = await findHolder(run)
      if (holder && holder.pid !== killed) return
    }
    throw new Error('the server did not keep its places')
  }

  async function killOpener(): Promise<number> {
    const server = causeway.serverPid()
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
      const opener = (await processes()).find(
        ({ parent, words }) =>
          parent === server && words.some((word) => /opener\.[jt]s$/.test(word)),
      )
      if (!opener) continue
      try {
        process.kill(opener.pid, 'SIGKILL')
        return opener.pid
      } catch {
        // It had ended by then.
      }
    }
    throw new Error('no socket was opened under load')
  }

  /** Kills one program, and one program's `causeway exec`; both give their addresses back. */
  async function killPrograms(): Promise<void> {
    const [one, other] = [await sleeper(), await sleeper()]
    const ended = once(one.exec, 'close')
    process.kill(one.program, 'SIGKILL')
    assert.deepEqual(await ended, [137, null])
    for (const deadline = Date.now() + 10_000; (await programs()).length > 3; await delay(50)) {
      assert.ok(Date.now() < deadline, 'a program that was killed keeps its address')
    }
    other.exec.kill('SIGKILL')
    await once(other.exec, 'exit')
    // It lives on, and so does its address.
    assert.equal((await programs()).length, 3)
    process.kill(other.program, 'SIGKILL')
    for (const deadline = Date.now() + 10_000; (await programs()).length > 2; await delay(50)) {
      assert.ok(Date.now() < deadline, 'a program that has ended keeps its address')
    }
  }

  async function sleeper(): Promise<{ readonly exec: ChildProcess; readonly program: number }> {
    const [file, ...args] = causeway.placeArguments(network, ['sh', '-c', 'echo; exec sleep 600'])
    const exec = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(exec.stdout, 'data')
    const program = (await processes()).find(({ parent }) => parent === exec.pid)
    assert.ok(program)
    return { exec, program: program.pid }
  }

  const programs = async () => (await causeway.status()).places.flatMap((place) => place.programs)

  /** The programs whose network is there; a namespace that was removed leaves them without. */
  async function programsWithNetwork(): Promise<readonly PlaceAgent[]> {
    const running = [outside, inside].filter((agent) => !agent.hasEnded())
    return (await programs()).length < 2 ? [] : running
  }

  async function sendPrograms(): Promise<void> {
    if (!outside || (await programsWithNetwork()).length < 2) {
      for (const agent of [outside, inside]) {
        if (!agent || agent.hasEnded()) continue
        await agent.end()
      }
      outside = await startAgent(causeway, internet)
      inside = await startAgent(causeway, network)
    }
    arm = await armFrom(outside)
    registry = await registryFrom(outside, loginServer())
    token ??= await accessTokenFrom(outside, loginServer())
  }

  async function nothingIsLeft(): Promise<void> {
    const { places } = await causeway.status()
    const namespaces = places.flatMap((place) => [
      place.namespace,
      ...place.programs.map(({ id }) => `${place.namespace.split('-', 2).join('-')}-p-${id}`),
    ])
    assert.deepEqual((await causeway.namespaces()).toSorted(), namespaces.toSorted())
    // What a program leaves goes just after the program.
    for (const deadline = Date.now() + 5_000; Date.now() < deadline; await delay(50)) {
      if ((await strayFiles(causeway)).length === 0) break
    }
    assert.deepEqual(await strayFiles(causeway), [])
    const known = [causeway.serverPid(), outside.process.pid, inside.process.pid]
    const strangers = (await processesOf(causeway.dataFolder)).filter(
      ({ pid }) => !known.includes(pid),
    )
    assert.deepEqual(strangers, [])
  }
})

async function prepare(arm: ArmClient): Promise<Ground> {
  const group = await makeGroup(arm, 'crash')
  const networks = []
  for (const [name, own] of [
    ['yard', group],
    ['field', await makeGroup(arm, 'crash-apart')],
  ] as const) {
    const made = await makeNetwork(arm, own, name)
    const zone = `${own}/providers/Microsoft.Network/privateDnsZones/${ZONE}`
    accepted(await arm.put(zone, { location: 'global' }))
    accepted(
      await arm.put(`${zone}/virtualNetworkLinks/${name}`, {
        location: 'global',
        properties: { virtualNetwork: { id: made.id }, registrationEnabled: false },
      }),
    )
    networks.push(made)
  }
  const registries = [
    await makeRegistry(arm, group, 'crashhouse'),
    await makeRegistry(arm, group, 'crashother'),
  ]
  return { group, networks, registries }
}
