import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { describeDataFolder } from '../src/storage/data-folder.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { failed, run, succeeded } from './support/run.ts'
import { projectFolder } from './support/shared-data.ts'

const program = join(projectFolder, 'bin/causeway')

describe('the command line', { ...needs('places', 'ip'), timeout: 180_000 }, () => {
  let causeway: Causeway

  before(async () => {
    causeway = await startCauseway()
  })
  after(() => causeway?.remove())

  test('prints its version', async () => {
    const { version } = JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')) as {
      version: string
    }
    assert.equal(succeeded(await run(program, ['--version'])).trim(), version)
  })

  test('2: refuses options and values that it does not know', async () => {
    for (const args of [
      ['up', '--nonsense'],
      ['up', '--port', 'many'],
      ['up', '--log-level', 'loud'],
      ['up', '--config', '/none.yaml'],
      ['status', '--config', '/none.yaml'],
      ['nonsense'],
      ['exec', '--', 'true'],
      ['exec', '--internet', '--vnet', 'both', '--', 'true'],
      ['exec', '--internet', '--subnet', 'none', '--', 'true'],
    ]) {
      const finished = await causeway.command(args)
      assert.equal(finished.code, 2, finished.command)
      assert.doesNotMatch(finished.stderr, /\n\s+at /, 'no stack for a user')
    }
  })

  test('2: refuses a configuration file with its line, before anything is made', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'causeway-test-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, 'causeway.yaml')
    await writeFile(file, 'dataFolder: data\nregistryDomian: registry.example.com\n')
    const { CAUSEWAY_DATA: _, ...environment } = process.env
    const finished = await run(program, ['up', '--config', file], { environment })
    assert.equal(finished.code, 2)
    assert.ok(
      finished.stderr.includes(
        `${file}:2: registryDomian: not known; did you mean registryDomain?`,
      ),
      finished.stderr,
    )
    assert.equal(existsSync(join(folder, 'data')), false)
  })

  test('status tells people and programs what is served', async () => {
    const { state, pid, dataFolder, places, urls } = await causeway.status()
    assert.equal(places[0]?.state, 'ready')
    assert.equal(state, 'serving')
    assert.equal(dataFolder, causeway.dataFolder)
    assert.ok(pid > 0)
    assert.match(urls.control, /^https:\/\/localhost:\d+/)
    assert.deepEqual(
      places.map(({ name }) => name),
      ['internet'],
    )
    assert.match(succeeded(await causeway.command(['status'])), /serving(.|\n)*internet +- +ready/)
  })

  test('1: status, exec and principal where no server runs', async () => {
    const environment = { ...process.env, CAUSEWAY_DATA: join(causeway.dataFolder, 'none') }
    for (const args of [['status'], ['status', '--json'], ['exec', '--internet', '--', 'true']]) {
      assert.equal((await run(program, args, { environment })).code, 1, args.join(' '))
    }
  })

  test('1: a second server on the same data folder is refused', async () => {
    const output = failed(await causeway.command(['up', '--empty', '--port', '0']))
    assert.match(output, /served already/)
    assert.equal((await causeway.status()).state, 'serving')
  })

  test('1: a port that is taken is named, and nothing is left behind', async () => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'causeway-test-'))
    const { port } = await causeway.status()
    const args = ['up', '--empty', '--port', String(port), '--data', dataFolder]
    const output = failed(await run(program, args))
    assert.match(output, /Port \d+ is taken: give --port/)
    assert.doesNotMatch(output, /\n\s+at /)
    // The note of the process that holds namespaces goes when it has ended.
    assert.equal(existsSync(join(dataFolder, 'run', 'holder')), false)
    await rm(dataFolder, { recursive: true })
  })

  test('a reader that goes and a terminal that closes end the server in good order', async () => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'causeway-test-'))
    const args = ['up', '--empty', '--port', '0', '--data', dataFolder]
    const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(server, 'exit')
    const complaints = text(server.stderr)
    await once(server.stdout, 'data')
    server.stdout.destroy()
    server.kill('SIGHUP')
    assert.deepEqual([await ended, await complaints], [[0, null], ''])
    const { mark } = await describeDataFolder(dataFolder)
    const names = await readdir('/run/netns').catch(() => [] as string[])
    assert.ok(!names.some((name) => name.includes(mark)))
    await rm(dataFolder, { recursive: true })
  })

  test('makes, lists and deletes principals; the secret is not printed again', async () => {
    const created = JSON.parse(
      succeeded(await causeway.command(['principal', 'create', 'robot', '--json'])),
    ) as { appId: string; secret: string }
    const listed = succeeded(await causeway.command(['principal', 'list', '--json']))
    assert.ok(listed.includes(created.appId))
    assert.ok(!listed.includes(created.secret))
    succeeded(await causeway.command(['principal', 'delete', 'robot']))
    assert.ok(
      !succeeded(await causeway.command(['principal', 'list', '--json'])).includes(created.appId),
    )
  })

  test('shows of each principal what kind it is and what it may do', async () => {
    succeeded(await causeway.command(['principal', 'create', 'puller', '--role', 'AcrPull']))
    succeeded(await causeway.command(['principal', 'create', 'jane', '--user']))
    const listed = succeeded(await causeway.command(['principal', 'list']))
    assert.match(listed, /^owner +program +\S+ +Owner$/m)
    assert.match(listed, /^puller +program +\S+ +AcrPull$/m)
    assert.match(listed, /^jane +person +jane@\S+ +-$/m)
    const { subscriptionId } = await causeway.status()
    const shown = succeeded(await causeway.command(['principal', 'show', 'puller']))
    assert.match(shown, new RegExp(`^role +AcrPull on /subscriptions/${subscriptionId}$`, 'm'))
    const { kind, roles } = JSON.parse(
      succeeded(await causeway.command(['principal', 'show', 'jane', '--json'])),
    )
    assert.deepEqual([kind, roles], ['User', []])
    const complaint = failed(await causeway.command(['principal', 'show', 'nobody']))
    assert.match(complaint, /There is no principal 'nobody'/)
  })

  test('1: a network that is not in the group is told of with its group', async () => {
    const where = { vnet: 'twin', resourceGroup: 'other' }
    const complaint = failed(await causeway.inPlace(where, ['true']))
    assert.match(
      complaint,
      /There is no network 'twin' in the group 'other'\. There are: none yet\./,
    )
  })

  test('1: a principal without a name', async () => {
    const complaint = failed(await causeway.command(['principal', 'create', '']))
    assert.match(complaint, /name of a principal has 1 to 120 characters/)
  })

  test("a principal's credentials are those of its programs", async () => {
    const created = JSON.parse(
      succeeded(await causeway.command(['principal', 'create', 'worker', '--json'])),
    ) as { appId: string }
    const finished = await causeway.inPlace(internet, ['printenv', 'AZURE_CLIENT_ID'], {
      as: 'worker',
    })
    assert.equal(succeeded(finished).trim(), created.appId)
  })

  test('logs prints what the server has logged, without secrets', async () => {
    const printed = succeeded(await causeway.command(['logs']))
    assert.match(printed, /\S/)
    assert.doesNotMatch(printed, /client_secret|Bearer ey/)
  })

  test('down stops the server and keeps the data; down --purge removes them', async () => {
    const throwaway = await startCauseway()
    try {
      succeeded(await throwaway.command(['down']))
      assert.equal(await throwaway.ended(), 0)
      assert.deepEqual(await throwaway.namespaces(), [])
      assert.ok(existsSync(join(throwaway.dataFolder, 'causeway.db')))
      await throwaway.startAgain()
      succeeded(await throwaway.command(['down', '--purge']))
      assert.ok(!existsSync(throwaway.dataFolder))
    } finally {
      await throwaway.remove()
    }
  })
})
