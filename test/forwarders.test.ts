import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Resolved } from '../src/operator/contract.ts'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { makeGroup, makeRegistry } from './support/private-registry.ts'
import { failed, run, succeeded } from './support/run.ts'
import { projectFolder } from './support/shared-data.ts'

const DOMAIN = 'registry.example.com'
const START_SECONDS = 20

/** A resolver of somebody else: what its configuration is, and how it is started in the foreground. */
interface Forwarder {
  readonly name: string
  configuration(guide: Guide, port: number, folder: string): string
  command(file: string): readonly [string, ...string[]]
}

/** The blocks of the guide, by what stands behind the fence. */
type Guide = (kind: string) => string

const user = process.getuid?.() === 0 ? ['--user=root'] : []

const FORWARDERS: readonly Forwarder[] = [
  {
    name: 'dnsmasq',
    configuration: (guide, port) =>
      `${guide('dnsmasq')}stop-dns-rebind\nno-resolv\nno-hosts\nbind-interfaces\nlisten-address=127.0.0.1\nport=${port}\n`,
    command: (file) => ['dnsmasq', '--keep-in-foreground', ...user, '--pid-file', '-C', file],
  },
  {
    name: 'BIND',
    configuration: (guide, port, folder) =>
      `options { listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; recursion yes;
       session-keyfile none; directory "${folder}"; ${guide('named-options')} }; controls { }; ${guide('named')}`,
    command: (file) => ['named', '-f', '-4', '-c', file],
  },
  {
    name: 'Unbound',
    configuration: (guide, port) =>
      `${guide('unbound')}server:\n  interface: 127.0.0.1@${port}\n  do-daemonize: no\n  chroot: ""\n  username: ""\n  pidfile: ""\n  use-syslog: no
  do-not-query-localhost: no\n  private-address: 127.0.0.0/8\n  use-caps-for-id: yes\n`,
    command: (file) => ['unbound', '-d', '-c', file],
  },
]

describe('resolvers of others, configured as the guide says', {
  ...needs('places', 'dig', 'forwarders'),
  timeout: 180_000,
}, () => {
  let causeway: Causeway
  let folder: string
  let guide: Guide
  const running: ChildProcess[] = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-forwarders-'))
    causeway = await startCauseway({ configuration: `registryDomain: ${DOMAIN}\n` })
    const arm = await createArmClient(causeway)
    await makeRegistry(arm, await makeGroup(arm, 'names'), 'nameshouse')
    const { host } = await causeway.status()
    const [address = '', port = ''] = host.names[0]?.split(':') ?? []
    const text = await readFile(join(projectFolder, 'docs/guides/own-registry.md'), 'utf8')
    guide = (kind) =>
      (new RegExp(`\`\`\`${kind}\n(.*?)\`\`\``, 's').exec(text)?.[1] ?? '')
        .replaceAll('192.0.2.10#53', `${address}#${port}`)
        .replaceAll('192.0.2.10 port 53', `${address} port ${port}`)
        .replaceAll('192.0.2.10@53', `${address}@${port}`)
  })
  after(async () => {
    for (const child of running) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  /** Starts it, and waits until it answers at all. Returns `dig` at it. */
  async function start(forwarder: Forwarder) {
    const port = await freePort()
    const file = join(folder, `${forwarder.name}.conf`)
    await writeFile(file, forwarder.configuration(guide, port, folder))
    const [program, ...args] = forwarder.command(file)
    const PATH = `${process.env.PATH}:/usr/sbin:/sbin`
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH },
    })
    running.push(child)
    let complaints = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text
    })
    const dig = (...question: readonly string[]) =>
      run('dig', ['@127.0.0.1', '-p', `${port}`, '+tries=1', '+time=5', ...question])
    for (const deadline = Date.now() + START_SECONDS * 1000; ; ) {
      if ((await dig('version.bind', 'CH', 'TXT')).code === 0) return dig
      assert.ok(child.exitCode === null && Date.now() < deadline, complaints)
    }
  }

  for (const forwarder of FORWARDERS) {
    test(`${forwarder.name} passes on what the host answers`, async () => {
      const dig = await start(forwarder)
      for (const name of [`nameshouse.${DOMAIN}`, `nameshouse.westeurope.data.${DOMAIN}`]) {
        assert.equal(succeeded(await dig('+short', name)), '127.0.0.1\n', forwarder.name)
        assert.equal(succeeded(await dig('+short', '+tcp', '+dnssec', name)), '127.0.0.1\n')
        const six = succeeded(await dig(name, 'AAAA'))
        assert.match(six, /status: NOERROR(.|\n)*ANSWER: 0/)
      }
      assert.match(succeeded(await dig(`none.${DOMAIN}`)), /status: NXDOMAIN/)
    })
  }

  test('resolve tells what the host answers, and why', async () => {
    const name = `nameshouse.${DOMAIN}`
    const told = succeeded(await causeway.command(['resolve', name, '--host']))
    assert.match(told, /as seen from host: .*NOERROR/)
    assert.match(told, /127\.0\.0\.1(.|\n)*served on this host/)
    const foreign = failed(await causeway.command(['resolve', 'example.com', '--host']))
    assert.match(foreign, /REFUSED(.|\n)*answers for its own names only/)
  })

  test('resolve tells the public chain as seen from the internet', async () => {
    const args = ['resolve', `nameshouse.${DOMAIN}`, 'a', '--internet', '--json']
    const { place, rcode, answers, reasons } = JSON.parse(
      succeeded(await causeway.command(args)),
    ) as Resolved
    assert.deepEqual(
      [place, rcode, answers.at(-1)?.value],
      ['internet', 'NOERROR', '20.45.122.144'],
    )
    assert.deepEqual(new Set(reasons.map(({ rule }) => rule)), new Set(['public']))
  })

  test('1 and 2: a name that leads nowhere, and words that are no question', async () => {
    const code = async (...args: readonly string[]) =>
      (await causeway.command(['resolve', ...args])).code
    assert.equal(await code(`none.${DOMAIN}`, '--internet'), 1)
    assert.equal(await code(`nameshouse.${DOMAIN}`, 'AAAA', '--internet'), 1)
    assert.equal(await code('two words', '--internet'), 1)
    assert.equal(await code(`nameshouse.${DOMAIN}`, 'LETTERS', '--internet'), 1)
    assert.equal(await code(`nameshouse.${DOMAIN}`, '--vnet', 'none'), 1)
    assert.equal(await code(`nameshouse.${DOMAIN}`), 2)
    assert.equal(await code(`nameshouse.${DOMAIN}`, '--internet', '--host'), 2)
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}
