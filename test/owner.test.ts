import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findHolder } from '../src/places/holder.ts'
import { describeDataFolder } from '../src/storage/data-folder.ts'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway, type User } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { makeGroup, makeNetwork } from './support/private-registry.ts'
import { succeeded } from './support/run.ts'

const ALICE: User = { uid: 64_021, gid: 64_021 }
const BOB: User = { uid: 64_022, gid: 64_022 }
const network = { vnet: 'owned' }
const NOTHING = '0000000000000000'

const sudo = (user: User): NodeJS.ProcessEnv => ({
  ...process.env,
  SUDO_UID: String(user.uid),
  SUDO_GID: String(user.gid),
})

async function statusOf(pid: number): Promise<Readonly<Record<string, string>>> {
  const lines = (await readFile(`/proc/${pid}/status`, 'utf8')).trim().split('\n')
  return Object.fromEntries(lines.map((line) => line.split(':\t') as [string, string]))
}

// The tests build on each other.
describe('a server that root starts on the folder of somebody else', {
  ...needs('root', 'ip', 'curl'),
  timeout: 180_000,
}, () => {
  let causeway: Causeway

  before(async () => {
    causeway = await startCauseway({ owner: ALICE })
    const arm = await createArmClient(causeway)
    await makeNetwork(arm, await makeGroup(arm, 'owned'), network.vnet)
  })
  after(() => causeway?.remove())

  test('runs as its owner, with no right that another user lacks', async () => {
    const { pid } = await causeway.status()
    const { Uid, Gid, CapEff, CapPrm, CapInh, CapBnd, CapAmb, NoNewPrivs } = await statusOf(pid)
    assert.equal(Uid, Array(4).fill(ALICE.uid).join('\t'))
    assert.equal(Gid, Array(4).fill(ALICE.gid).join('\t'))
    assert.deepEqual([CapEff, CapPrm, CapInh, CapBnd, CapAmb], Array(5).fill(NOTHING))
    assert.equal(NoNewPrivs, '1')
    for (const file of ['causeway.db', 'keys/keys.json', 'run/holder', 'logs/server.log']) {
      assert.equal((await stat(join(causeway.dataFolder, file))).uid, ALICE.uid, file)
    }
  })

  test('lets root run programs as whoever called through sudo, in a home of their own', async () => {
    const script =
      'id -u; grep CapEff /proc/self/status; touch "$AZURE_CONFIG_DIR/mine" && stat -c %u "$AZURE_CONFIG_DIR/mine"; ip -4 -o address show eth0'
    for (const { uid, gid } of [BOB, ALICE, BOB]) {
      const finished = await causeway.inPlace(network, ['sh', '-c', script], {
        environment: sudo({ uid, gid }),
      })
      const [id, rights, owner, address] = succeeded(finished).split('\n')
      assert.deepEqual([id, rights, owner], [`${uid}`, `CapEff:\t${NOTHING}`, `${uid}`])
      assert.match(address ?? '', / 10\.0\.0\.\d+\/24 /)
    }
  })

  test("keeps the network of another user's program when it is killed and comes again", async () => {
    const [file, ...args] = causeway.placeArguments(network, [
      ...['sh', '-c', 'ip -4 -o address show eth0; read -r line; ip -4 -o address show eth0'],
    ])
    const program = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...sudo(BOB), CAUSEWAY_DATA: causeway.dataFolder },
    })
    const [before] = (await once(program.stdout.setEncoding('utf8'), 'data')) as [string]
    await causeway.end('SIGKILL')
    await causeway.startAgain()
    const { places } = await causeway.status()
    const programs = places.find(({ name }) => name === network.vnet)?.programs ?? []
    assert.deepEqual(
      programs.map(({ address }) => before.includes(` ${address}/`)),
      [true],
    )
    program.stdin.end('\n')
    const [after] = (await once(program.stdout, 'data')) as [string]
    assert.equal(after, before)
    assert.deepEqual(await once(program, 'exit'), [0, null])
  })

  test('cannot make root end a process of somebody else', async (t) => {
    const { run } = await describeDataFolder(causeway.dataFolder)
    const holder = await findHolder(run)
    assert.ok(holder)
    await causeway.end('SIGKILL')
    process.kill(holder.pid, 'SIGKILL')
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' })
    t.after(() => stranger.kill('SIGKILL'))
    // Whoever owns the folder can write this note, by which a later server, or root, finds the holder.
    const note = join(run, 'holder')
    const [, ...rest] = (await readFile(note, 'utf8')).split('\n')
    const line = (await readFile(`/proc/${stranger.pid}/stat`, 'utf8')).trim()
    await writeFile(note, [line, ...rest].join('\n'))
    succeeded(await causeway.command(['down']))
    assert.deepEqual([stranger.exitCode, stranger.signalCode], [null, null])
    await causeway.startAgain()
    assert.equal((await causeway.status()).state, 'serving')
  })
})

test('a port of root is served by a server that has only the right to have it', {
  ...needs('root', 'ip'),
  timeout: 60_000,
}, async (t) => {
  const port = await freePortOfRoot()
  const causeway = await startCauseway({ owner: ALICE, port })
  t.after(() => causeway.remove())
  const { pid, port: served } = await causeway.status()
  assert.equal(served, port)
  // Bit 10 is CAP_NET_BIND_SERVICE.
  assert.equal((await statusOf(pid)).CapEff, '0000000000000400')
})

async function freePortOfRoot(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 600 + Math.floor(Math.random() * 400)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (isFree) return port
  }
  throw new Error('no port of root is free')
}
