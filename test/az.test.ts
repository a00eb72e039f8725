import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { azOnHost } from '../src/cli/az-set-up.ts'
import { createOperatorClient } from '../src/cli/operator-client.ts'
import type { HostProgram } from '../src/operator/contract.ts'
import { describeDataFolder } from '../src/storage/data-folder.ts'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { fetchOverTls } from './support/https-client.ts'
import { needs } from './support/needs.ts'
import { makeGroup, makeRegistry } from './support/private-registry.ts'
import { failed, type RunOptions, run, succeeded } from './support/run.ts'
import { type SealedMachine, sealMachine } from './support/sealed-machine.ts'
import { projectFolder } from './support/shared-data.ts'

const SETTING_UP = /setting up az for/
const REPAIR = {
  PYTHONPATH: join(import.meta.dirname, 'support/az-repair'),
  PYTHONDONTWRITEBYTECODE: '1',
}

/** `causeway az WORDS…` for somebody whose home is `home`. */
const azOf =
  (causeway: Causeway, home: string) =>
  (words: readonly string[], options: { as?: string; variables?: NodeJS.ProcessEnv } = {}) => {
    const environment = { ...process.env, ...REPAIR, ...options.variables, HOME: home }
    const as = options.as === undefined ? [] : ['--as', options.as]
    const given: RunOptions = { environment }
    return causeway.command(['az', ...as, ...words], given)
  }

describe('causeway az', { ...needs('places', 'ip', 'az'), timeout: 600_000 }, () => {
  let causeway: Causeway
  let home: string
  let az: ReturnType<typeof azOf>

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'causeway-az-'))
    causeway = await startCauseway()
    az = azOf(causeway, home)
    const arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'words')
    await makeRegistry(arm, group, 'wordhouse')
  })
  after(async () => {
    await causeway?.remove()
    await rm(home, { recursive: true, force: true })
  })

  test('is signed in as the owner, and says so at the first use only', async () => {
    const first = await az(['acr', 'list', '--query', '[].name', '--output', 'tsv'])
    assert.equal(succeeded(first).trim(), 'wordhouse')
    assert.match(first.stderr, SETTING_UP)
    const second = await az(['account', 'show', '--query', 'id', '--output', 'tsv'])
    assert.equal(succeeded(second).trim(), (await causeway.status()).subscriptionId)
    assert.equal(second.stderr, '')
  })

  test('signs in once where commands start side by side', async () => {
    succeeded(await causeway.command(['principal', 'create', 'twin', '--role', 'Reader']))
    const words = ['group', 'list', '--query', '[].name', '--output', 'tsv']
    const finished = await Promise.all([1, 2, 3].map(() => az(words, { as: 'twin' })))
    assert.deepEqual(
      finished.map((each) => succeeded(each).trim()),
      ['words', 'words', 'words'],
    )
    assert.equal(finished.filter(({ stderr }) => SETTING_UP.test(stderr)).length, 1)
  })

  test('acts as the principal that --as names, with its rights and no others', async () => {
    succeeded(await causeway.command(['principal', 'create', 'reader', '--role', 'Reader']))
    const listed = ['acr', 'list', '--query', '[].name', '--output', 'tsv']
    assert.equal(succeeded(await az(listed, { as: 'reader' })).trim(), 'wordhouse')
    const refused = await az(['group', 'delete', '--name', 'words', '--yes'], { as: 'reader' })
    assert.match(failed(refused), /AuthorizationFailed/)
    assert.match(failed(await az(listed, { as: 'nobody' })), /There is no principal 'nobody'/)
  })

  test('asks Microsoft Graph', async () => {
    const words = ['ad', 'sp', 'list', '--all', '--query', '[].displayName', '--output', 'tsv']
    assert.match(succeeded(await az(words)), /^owner$/m)
  })

  test('reaches the registry from the place, signed in there as well', async () => {
    const words = ['acr', 'repository', 'list', '--name', 'wordhouse', '--output', 'json']
    assert.deepEqual(JSON.parse(succeeded(await az(words))), [])
    assert.equal((await az(words)).stderr, '')
  })

  test('has the same settings on both sides', async () => {
    succeeded(await az(['config', 'set', 'defaults.acr=wordhouse']))
    const usage = ['acr', 'show', '--query', 'name', '--output', 'tsv']
    assert.equal(succeeded(await az(usage)).trim(), 'wordhouse')
    assert.deepEqual(
      JSON.parse(succeeded(await az(['acr', 'repository', 'list', '--output', 'json']))),
      [],
    )
  })

  test('knows no other cloud, whatever it is told', async () => {
    await az(['cloud', 'set', '--name', 'AzureCloud'])
    const variables = { AZURE_CLOUD_NAME: 'AzureCloud', AZURE_CONFIG_DIR: join(home, 'other') }
    const words = ['cloud', 'show', '--query', 'name', '--output', 'tsv']
    assert.equal(succeeded(await az(words, { variables })).trim(), 'Causeway')
    assert.equal(existsSync(join(home, 'other')), false)
  })

  test('exit code, output and signals are those of az', async () => {
    const unknown = await az(['group', 'show', '--name', 'nowhere'])
    assert.equal(unknown.code, 3)
    assert.match(unknown.stderr, /ResourceGroupNotFound/)
    assert.equal((await az(['group', 'nonsense'])).code, 2)
    assert.match(succeeded(await az(['--version'])), /^azure-cli /)
  })

  test('128 + 15: a signal ends az, and its sign-in as well, and nobody is left', async () => {
    succeeded(await causeway.command(['principal', 'create', 'mortal', '--role', 'Reader']))
    // The template is read from its input, which stays open.
    const words = ['deployment', 'group', 'validate', '-g', 'words', '-f', '/dev/stdin']
    const child = spawn(join(projectFolder, 'bin/causeway'), ['az', '--as', 'mortal', ...words], {
      env: { ...process.env, ...REPAIR, HOME: home, CAUSEWAY_DATA: causeway.dataFolder },
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    const ended = once(child, 'exit')
    await once(child.stderr, 'data')
    const running = await descendants(child.pid ?? 0)
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [143, null])
    assert.ok(running.length > 1)
    // All of them were told to end; the last may need a moment more.
    while (running.some((pid) => existsSync(`/proc/${pid}`))) await setImmediate()
  })

  test('signs out, and in again with the next command', async () => {
    succeeded(await az(['logout']))
    const words = ['account', 'show', '--query', 'name', '--output', 'tsv']
    const again = await az(words)
    assert.equal(succeeded(again).trim(), 'Causeway')
    assert.match(again.stderr, SETTING_UP)
  })

  test('mends its sign-in when the server has another port', async () => {
    const before = (await causeway.status()).port
    await causeway.end('SIGTERM')
    await causeway.startAgain()
    assert.notEqual((await causeway.status()).port, before)
    const words = ['group', 'list', '--query', '[].name', '--output', 'tsv']
    const mended = await az(words)
    assert.equal(succeeded(mended).trim(), 'words')
    assert.match(mended.stderr, SETTING_UP)
    assert.equal((await az(words)).stderr, '')
  })

  test('mends its sign-in when its principal is another of the same name', async () => {
    const remake = async () => {
      await causeway.command(['principal', 'delete', 'phoenix'])
      succeeded(await causeway.command(['principal', 'create', 'phoenix', '--role', 'Reader']))
    }
    const words = ['group', 'list', '--query', '[].name', '--output', 'tsv']
    for (const _ of ['first', 'second']) {
      await remake()
      assert.equal(succeeded(await az(words, { as: 'phoenix' })).trim(), 'words')
    }
  })

  test('401: what it obtained is worth nothing once it has ended', async () => {
    const token = succeeded(
      await az(['account', 'get-access-token', '--query', 'accessToken', '--output', 'tsv']),
    ).trim()
    const { urls, authorities } = await causeway.status()
    const answer = await fetchOverTls(`${urls.control}subscriptions?api-version=2019-11-01`, {
      ca: await readFile(authorities.host, 'utf8'),
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(answer.status, 401)
  })

  test("leaves the user's own configuration alone", () => {
    assert.equal(existsSync(join(home, '.azure')), false)
  })
})

test('called through sudo, az is that of the user who called', {
  ...needs('root', 'ip', 'az'),
  timeout: 120_000,
}, async (t) => {
  const causeway = await startCauseway()
  t.after(() => causeway.remove())
  const sudo = { SUDO_UID: '64015', SUDO_GID: '64015', SUDO_USER: '#64015' }
  const environment = { ...process.env, ...REPAIR, ...sudo, CAUSEWAY_DATA: causeway.dataFolder }
  for (const words of ['group list', 'acr repository list --name none']) {
    const finished = await causeway.command(['az', ...words.split(' ')], { environment })
    assert.doesNotMatch(finished.stderr, /could not be signed in|[Pp]ermission/)
  }
  for (const side of ['az-host', 'az-internet']) {
    const profile = join(causeway.dataFolder, 'clients/owner-64015', side, 'azureProfile.json')
    assert.equal((await stat(profile)).uid, 64015)
  }
})

describe('out of causeway az nothing leaves the machine', {
  ...needs('root', 'ip', 'az'),
  timeout: 300_000,
}, () => {
  let machine: SealedMachine
  let causeway: Causeway
  let home: string

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'causeway-az-'))
    machine = await sealMachine()
    causeway = await startCauseway({ within: machine.within })
    const az = azOf(causeway, home)
    succeeded(await az(['group', 'create', '--name', 'sealed', '--location', 'westeurope']))
    succeeded(await az(['acr', 'create', '-g', 'sealed', '-n', 'sealedhouse', '--sku', 'Premium']))
  })
  after(async () => {
    await causeway?.remove()
    await machine?.close()
    await rm(home, { recursive: true, force: true })
  })

  /** Packets that leave while `work` is done. */
  const leaving = async (work: () => Promise<unknown>): Promise<number> => {
    const before = await machine.packetsOut()
    await work()
    return (await machine.packetsOut()) - before
  }

  test('the count sees what leaves', async () => {
    const [file = '', ...args] = [...machine.within, 'getent', 'hosts', 'sealedhouse.azurecr.io']
    assert.ok((await leaving(() => run(file, args))) > 0)
  })

  test('with the commands that reach a registry, a vault, or whatever they are told', async () => {
    const az = azOf(causeway, home)
    for (const words of [
      ['acr', 'login', '-n', 'sealedhouse', '--expose-token'],
      ['acr', 'repository', 'list', '-n', 'sealedhouse'],
      ['acr', 'manifest', 'list-metadata', '-r', 'sealedhouse', '-n', 'none'],
      ['acr', 'check-health', '-n', 'sealedhouse', '--yes', '--ignore-errors'],
      ['acr', 'helm', 'list', '-n', 'sealedhouse'],
      // From elsewhere an import leaves, by the server and on request.
      ['acr', 'import', '-n', 'sealedhouse', '--source', 'sealedhouse.azurecr.io/none:v1'],
      ['acr', 'update', '-n', 'sealedhouse', '--admin-enabled', 'true'],
      ['acr', 'token', 'list', '-r', 'sealedhouse'],
      ['acr', 'show-endpoints', '-n', 'sealedhouse'],
      [
        'rest',
        '--url',
        'https://sealedhouse.azurecr.io/v2/',
        '--resource',
        'https://management.azure.com/',
      ],
      ['keyvault', 'secret', 'list', '--vault-name', 'sealedhouse'],
      ['ad', 'sp', 'list', '--all'],
      ['extension', 'list-available'],
      ['login', '--identity'],
      ['version'],
      ['--version'],
    ]) {
      assert.equal(await leaving(() => az(words)), 0, words.join(' '))
    }
  })

  test('even where a command that reaches a registry is taken for one that does not', async (t) => {
    const az = azOf(causeway, home)
    succeeded(await az(['acr', 'list']))
    const { urls, registryDomain, authorities } = await causeway.status()
    const { operatorSocket, path } = await describeDataFolder(causeway.dataFolder)
    const operator = createOperatorClient(operatorSocket, path)
    const user = { uid: process.getuid?.(), gid: process.getgid?.() }
    // The sign-in is good while a program holds this.
    const { first, close } = await operator.hold<HostProgram>('/host-programs', user)
    t.after(close)
    const mistaken = azOnHost({
      ...first,
      ...{ urls, registryDomain, ca: authorities.host, inherited: { ...process.env, ...REPAIR } },
    })
    const words = ['acr', 'repository', 'list', '-n', 'sealedhouse', '--debug']
    const [file = '', ...args] = [...machine.within, 'az', ...words]
    let attempt = ''
    const held = await leaving(async () => {
      attempt = failed(await run(file, args, { environment: mistaken }))
    })
    assert.equal(held, 0)
    assert.match(attempt, /sealedhouse\.azurecr\.io(.|\n)*Cannot connect to proxy/)
    const open = Object.fromEntries(
      Object.entries(mistaken).filter(([name]) => !/_proxy$/i.test(name)),
    )
    const letGo = await leaving(() => run(file, args, { environment: open }))
    assert.ok(letGo > 0, 'it is the proxy that holds it back')
  })
})

async function descendants(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const children = text.trim().split(' ').filter(Boolean).map(Number)
  return [...children, ...(await Promise.all(children.map(descendants))).flat()]
}
