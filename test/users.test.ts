import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { findHolder } from '../src/places/holder.ts'
import { describeDataFolder } from '../src/storage/data-folder.ts'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, commandOf, internet, startCauseway, type User } from './support/causeway.ts'
import { holdProgram } from './support/held-program.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import { makeGroup, makeNetwork } from './support/private-registry.ts'
import { failed, run, succeeded } from './support/run.ts'

const ALICE: User = { uid: 64_011, gid: 64_011 }
const BOB: User = { uid: 64_012, gid: 64_012 }
const network = { vnet: 'same' }
const MANAGED = 'http://169.254.169.254/metadata/identity/oauth2/token'

const as = (user: User, ...command: readonly string[]) =>
  run('setpriv', [
    ...[`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--'],
    ...command,
  ])

// Three servers on one machine: two ordinary users' and root's.
describe('users of one machine', { ...needs('root', 'ip', 'curl'), timeout: 180_000 }, () => {
  const servers: Causeway[] = []
  let [alices, bobs, roots]: (Causeway | undefined)[] = []

  before(async () => {
    for (const user of [ALICE, BOB, undefined]) {
      const causeway = await startCauseway(user && { user })
      servers.push(causeway)
      const arm = await createArmClient(causeway)
      await makeNetwork(arm, await makeGroup(arm, 'users'), network.vnet)
    }
    ;[alices, bobs, roots] = servers
  })
  after(async () => {
    for (const causeway of servers) await causeway.remove()
  })

  test('each have networks with the same addresses, and run programs there as themselves', async () => {
    const script = ['sh', '-c', 'id -u; ip -4 -o address show eth0']
    for (const [causeway, uid] of [
      [alices, ALICE.uid],
      [bobs, BOB.uid],
      [roots, 0],
    ] as const) {
      assert.ok(causeway)
      const printed = succeeded(await causeway.inPlace(network, script))
      assert.match(printed, new RegExp(`^${uid}\\n.* 10\\.0\\.0\\.254/24 `))
    }
  })

  test("1: one cannot ask, stop or enter another's server", async () => {
    for (const [user, causeway] of [
      [BOB, alices],
      [ALICE, bobs],
      [BOB, roots],
    ] as const) {
      const [file, ...args] = commandOf(user)
      for (const command of [
        ['status'],
        ['principal', 'list'],
        ['exec', '--internet', '--', 'true'],
        ['up', '--empty', '--port', '0'],
        ['down', '--purge'],
      ]) {
        const environment = { ...process.env, CAUSEWAY_DATA: causeway?.dataFolder }
        const finished = await run(file, [...args, ...command], { environment })
        assert.equal(finished.code, 1, `${finished.command}\n${finished.stdout}`)
        assert.match(finished.stderr, /another user/)
        assert.doesNotMatch(finished.stderr, /\n\s+at /)
      }
      assert.equal((await causeway?.status())?.state, 'serving')
    }
  })

  test("one cannot list or read another's data", async () => {
    const folder = alices?.dataFolder ?? ''
    const { database, keys, logFile, authorities, clients } = await describeDataFolder(folder)
    for (const path of [folder, keys, authorities, clients]) {
      assert.match(failed(await as(BOB, 'ls', path)), /Permission denied/)
    }
    for (const file of [database, logFile]) {
      assert.match(failed(await as(BOB, 'cat', file)), /Permission denied/)
      assert.equal(succeeded(await as(ALICE, 'head', '-c', '1', file)).length, 1)
    }
    const root = await describeDataFolder(roots?.dataFolder ?? '')
    assert.match(failed(await as(BOB, 'cat', root.database)), /Permission denied/)
  })

  test("one cannot enter another's namespaces past the server", async () => {
    for (const causeway of [alices, roots]) {
      const holder = await findHolder((await describeDataFolder(causeway?.dataFolder ?? '')).run)
      assert.ok(holder)
      const target = `--target=${holder.pid}`
      const entering = ['nsenter', '--preserve-credentials', '--user', '--net', target, 'true']
      if (causeway === alices) succeeded(await as(ALICE, ...entering))
      assert.match(failed(await as(BOB, ...entering)), /denied|permitted/)
      const folder = `/proc/${holder.pid}/root/run/netns`
      assert.match(failed(await as(BOB, 'ls', folder)), /denied/)
      const [namespace = ''] = (await causeway?.namespaces()) ?? []
      assert.match(
        failed(await as(BOB, 'nsenter', `--net=${folder}/${namespace}`, 'true')),
        /denied/,
      )
    }
  })

  test("one has neither the token nor the environment of another's program", async () => {
    assert.ok(alices && bobs)
    await createPrincipal(alices, 'robot', '--role', 'Reader')
    const waiting = ['sh', '-c', 'echo $$; read until']
    const robot = await holdProgram(alices, network, waiting, { as: 'robot' })
    try {
      const url = `${MANAGED}?api-version=2018-02-01&resource=https://management.azure.com/`
      const { places } = await alices.status()
      const own = places.find(({ name }) => name === network.vnet)?.programs[0]?.address
      // Bob's program stands at the same address, in a network of his own.
      const ask = 'ip -4 -o address show eth0; curl -sS --max-time 10 -H "Metadata: true" "$1"'
      const told = succeeded(await bobs.inPlace(network, ['sh', '-c', ask, 'ask', url]))
      assert.ok(told.includes(` ${own}/24 `), told)
      assert.match(told, /identity_not_found/)
      for (const part of ['environ', 'mem', 'cwd/', 'ns/net']) {
        const path = `/proc/${robot.told}/${part}`
        const look = ['sh', '-c', 'ls -d "$1/." || head -c1 "$1"', 'look', path]
        for (const finished of [await bobs.inPlace(network, look), await as(BOB, ...look)]) {
          assert.match(failed(finished), /denied|not permitted/, path)
        }
      }
    } finally {
      await robot.end()
    }
  })

  test('a program of one, even as root of its place, has no rights on the machine', async () => {
    const script =
      'id -u; touch /etc/causeway-was-here; ip link add owned0 type bridge && echo made'
    const finished = await alices?.inPlace(internet, ['sh', '-c', script], { root: true })
    assert.match(finished?.stderr ?? '', /Permission denied/)
    // In its own namespace it may do what root may.
    assert.equal(finished?.stdout, '0\nmade\n')
    failed(await run('ip', ['link', 'show', 'owned0']))
  })
})
