import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { findHolder } from '../src/places/holder.ts'
import { describeDataFolder } from '../src/storage/data-folder.ts'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway, type Where } from './support/causeway.ts'
import { holdProgram } from './support/held-program.ts'
import { fetchOverTls } from './support/https-client.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import {
  connect,
  type Endpoint,
  makeGroup,
  makeNetwork,
  makeRegistry,
  type Registry,
  setPublicAccess,
} from './support/private-registry.ts'
import { accessToken } from './support/registry-client.ts'
import { type Finished, failed, run, succeeded } from './support/run.ts'
import { projectFolder } from './support/shared-data.ts'

const [yard, field] = [{ vnet: 'yard' }, { vnet: 'field' }]
const isRoot = process.geteuid?.() === 0
/** As whom programs run: under root as somebody who called through sudo, else as the owner. */
const CALLER = isRoot
  ? { environment: { ...process.env, SUDO_UID: '64021', SUDO_GID: '64021' }, cwd: '/' }
  : { cwd: '/' }
const UNREACHABLE = /refused|unreachable|No route|Couldn't connect|Failed to connect|timed out/i
const MANAGED = 'http://169.254.169.254/metadata/identity/oauth2/token'
const FOR_ARM = 'api-version=2018-02-01&resource=https://management.azure.com/'
const DENIED = /denied|not permitted/i

// What docs/security.md says of programs that mean harm, tried.
describe('a hostile program', {
  ...needs('places', 'ip', 'curl', 'dig'),
  timeout: 900_000,
}, () => {
  let causeway: Causeway
  let arm: ArmClient
  let house: Registry
  let closed: Registry
  let endpoint: Endpoint
  let apart: Endpoint

  before(async () => {
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'hostile')
    house = await makeRegistry(arm, group, 'hostilehouse')
    closed = await makeRegistry(arm, group, 'hostileclosed')
    endpoint = await connect(arm, await makeNetwork(arm, group, 'yard'), house)
    const other = await makeGroup(arm, 'hostile-apart')
    const distant = await makeNetwork(arm, other, 'field', '10.9.0.0/16', '10.9.0.0/24')
    apart = await connect(arm, distant, closed)
    await setPublicAccess(arm, closed, 'Disabled')
    await createPrincipal(causeway, 'robot', '--role', 'Reader', '--scope', arm.subscription)
  })
  after(() => causeway?.remove())

  const bash = (where: Where, script: string, ...words: readonly string[]): Promise<Finished> =>
    causeway.inPlace(where, ['bash', '-c', script, 'hostile', ...words], CALLER)

  const curl = (where: Where, ...args: readonly string[]): Promise<Finished> =>
    causeway.inPlace(where, ['curl', '-sS', '--max-time', '10', ...args], CALLER)

  /** The status of an answer, whatever it holds. */
  const status = async (where: Where, ...args: readonly string[]): Promise<string> =>
    succeeded(await curl(where, '-o', '/dev/null', '-w', '%{http_code}', ...args))

  test("cannot reach the host's loopback by TCP", async () => {
    const listener = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    try {
      for (const where of [yard, internet]) {
        const told = failed(await bash(where, `exec 3<>/dev/tcp/127.0.0.1/${port}`))
        assert.match(told, UNREACHABLE)
      }
    } finally {
      listener.close()
    }
  })

  test("cannot reach the host's loopback by UDP", async () => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    try {
      await bash(yard, `echo from the place >/dev/udp/127.0.0.1/${port}`)
      const heard = once(socket, 'message')
      socket.send('from the host', port, '127.0.0.1')
      assert.equal(String((await heard)[0]), 'from the host')
    } finally {
      socket.close()
    }
  })

  test('cannot reach abstract Unix sockets of the host', async () => {
    const name = `causeway-hostile-${process.pid}`
    const listener = createServer((socket) => socket.end()).listen(`\0${name}`)
    await once(listener, 'listening')
    const ask = ['-sS', '--max-time', '5', '--abstract-unix-socket', name, 'http://localhost/']
    try {
      assert.match(failed(await run('curl', ask)), /Empty reply/)
      assert.match(failed(await curl(yard, ...ask)), UNREACHABLE)
    } finally {
      listener.close()
    }
  })

  test('cannot reach the real internet', async () => {
    for (const where of [yard, internet]) {
      assert.match(failed(await curl(where, '-k', 'https://1.1.1.1/')), UNREACHABLE)
    }
  })

  test('cannot reach an endpoint of another network', async () => {
    const url = `https://${closed.loginServer}/v2/`
    const resolve = ['--resolve', `${closed.loginServer}:443:${apart.address}`]
    assert.equal(await status(field, ...resolve, url), '401')
    assert.match(failed(await curl(yard, ...resolve, url)), UNREACHABLE)
  })

  test("cannot ask one registry's endpoint for another registry", async () => {
    const [own, other] = [house.loginServer, closed.loginServer]
    const resolve = ['--resolve', `${own}:443:${endpoint.address}`]
    assert.equal(await status(yard, ...resolve, `https://${own}/v2/`), '401')
    const header = ['-H', `Host: ${other}`]
    assert.equal(await status(yard, ...resolve, ...header, `https://${own}/v2/`), '421')
    const named = ['--resolve', `${other}:443:${endpoint.address}`]
    failed(await curl(yard, ...named, `https://${other}/v2/`))
  })

  test('cannot pass for somebody else by headers', async () => {
    const url = `https://${closed.loginServer}/v2/`
    assert.equal(await status(internet, url), '403')
    for (const header of [
      ...['X-Forwarded-For', 'X-Real-IP', 'True-Client-IP', 'X-Azure-ClientIP'],
      ...['X-Azure-SocketIP', 'X-Original-Forwarded-For', 'X-MS-Private-Link-Id'],
    ].map((name) => `${name}: ${apart.address}`)) {
      assert.equal(await status(internet, '-H', header, url), '403', header)
    }
    assert.equal(await status(internet, '-H', `Forwarded: for=${apart.address}`, url), '403')
  })

  test('cannot pass for somebody else by one name in TLS and another in the request', async () => {
    const header = ['-H', `Host: ${closed.loginServer}`]
    const answered = await status(internet, ...header, `https://${house.loginServer}/v2/`)
    assert.equal(answered, '403')
    const management = await status(internet, ...header, 'https://management.azure.com/v2/')
    assert.equal(management, '421')
  })

  test('cannot pass for somebody else by the PROXY protocol', async () => {
    failed(await curl(internet, '--haproxy-protocol', `https://${house.loginServer}/v2/`))
    const resolve = ['--resolve', `${house.loginServer}:443:${endpoint.address}`]
    failed(await curl(yard, '--haproxy-protocol', ...resolve, `https://${house.loginServer}/v2/`))
  })

  test('cannot take an address that is not its own', async () => {
    const own = "ip -4 -o address show eth0 | grep -o 'inet [0-9.]*' | cut -d' ' -f2"
    assert.match(succeeded(await bash(internet, own)), /^203\.0\.113\./)
    for (const script of [
      'PATH=$PATH:/usr/sbin:/sbin ip address add 203.0.113.77/24 dev eth0',
      'PATH=$PATH:/usr/sbin:/sbin ip link set eth0 address 02:00:cb:00:71:4d',
      `curl -sS --interface 203.0.113.77 'https://${house.loginServer}/v2/'`,
      // In a user namespace of its own making it is root, but not of the place.
      'PATH=$PATH:/usr/sbin:/sbin unshare -Ur ip address add 203.0.113.77/24 dev eth0',
    ]) {
      failed(await bash(internet, script))
    }
  })

  test('cannot have the token of another program', async () => {
    const waiting = ['sh', '-c', 'echo; read until']
    const robot = await holdProgram(causeway, yard, waiting, { ...CALLER, as: 'robot' })
    try {
      const { places } = await causeway.status()
      const { programs = [] } = places.find(({ name }) => name === 'yard') ?? {}
      const address = programs[0]?.address ?? ''
      assert.match(address, /^10\.0\.0\./)
      const ask = ['-H', 'Metadata: true', `${MANAGED}?${FOR_ARM}`]
      assert.match(succeeded(await curl(yard, ...ask)), /identity_not_found/)
      const forwarded = ['-H', `X-Forwarded-For: ${address}`]
      assert.match(succeeded(await curl(yard, ...forwarded, ...ask)), /not allowed/)
      failed(await curl(yard, '--interface', address, ...ask))
    } finally {
      await robot.end()
    }
  })

  test('401: a token is worth nothing after its program has ended', async () => {
    const asRobot = { ...CALLER, as: 'robot' }
    const script =
      'curl -sS -H "Metadata: true" "$1" | sed -E \'s/.*"access_token":"([^"]*)".*/\\1/\''
    const managed = succeeded(
      await causeway.inPlace(
        yard,
        ['bash', '-c', script, 'token', `${MANAGED}?${FOR_ARM}`],
        asRobot,
      ),
    ).trim()
    const own = await accessToken(causeway, yard, house.loginServer, 'repository:a:pull')
    await untilNoProgramRuns()
    const { urls, authorities } = await causeway.status()
    const ca = await readFile(authorities.host, 'utf8')
    const headers = { authorization: `Bearer ${managed}` }
    const url = `${urls.control}/subscriptions?api-version=2022-12-01`.replace('//sub', '/sub')
    assert.equal((await fetchOverTls(url, { ca, headers })).status, 401)
    // Another program of the same home would wake its credentials, so the one who asks is another principal.
    const asked = await causeway.inPlace(
      yard,
      [
        ...['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', '-H'],
        ...[`Authorization: Bearer ${own}`, `https://${house.loginServer}/v2/a/tags/list`],
      ],
      asRobot,
    )
    assert.equal(succeeded(asked), '401')
  })

  test('cannot look into the server or the holder of its places', async () => {
    const holder = await findHolder((await describeDataFolder(causeway.dataFolder)).run)
    assert.ok(holder)
    for (const pid of [causeway.serverPid(), holder.pid]) {
      for (const part of ['environ', 'mem', 'maps', 'root/etc/hostname', 'cwd']) {
        const told = failed(
          await bash(yard, `ls "/proc/$1/${part}/" || head -c1 "/proc/$1/${part}"`, `${pid}`),
        )
        assert.match(told, DENIED, part)
      }
    }
  })

  test("cannot enter the server's or the holder's namespaces", async () => {
    const holder = await findHolder((await describeDataFolder(causeway.dataFolder)).run)
    for (const script of [
      'nsenter --preserve-credentials --user --net --target="$1" true',
      'nsenter --net --target="$1" true',
      'nsenter --mount --target="$1" true',
      'nsenter --net --target="$2" true',
      'unshare -Ur nsenter --net --target="$2" true',
    ]) {
      const told = await bash(yard, script, `${holder?.pid}`, `${causeway.serverPid()}`)
      assert.match(failed(told), DENIED, script)
    }
  })

  test('cannot mount, nor take away what the place is covered with', async () => {
    failed(await bash(yard, 'mount -t tmpfs tmpfs /mnt'))
    const script = 'unshare -Urm sh -c \'umount "$(readlink -f /etc/resolv.conf)"\''
    assert.match(
      failed(await bash(yard, script)),
      /not mounted|Invalid|permitted|must be superuser/,
    )
  })

  test('what it mounts in a namespace of its own making stays there', async () => {
    const script = 'unshare -Urm sh -c "mount -t tmpfs hostile-$$ /mnt && cat /proc/self/mounts"'
    assert.match(succeeded(await bash(yard, script)), /hostile-\d+ \/mnt/)
    assert.doesNotMatch(await readFile('/proc/self/mounts', 'utf8'), /hostile-\d+ \/mnt/)
    assert.doesNotMatch(succeeded(await bash(yard, 'cat /proc/self/mounts')), /hostile-\d+ \/mnt/)
  })

  test("as somebody else than the owner cannot read the owner's data or ask the server", {
    skip: isRoot ? false : 'it needs root',
  }, async () => {
    const { database, keys, operatorSocket, run, authorities } = await describeDataFolder(
      causeway.dataFolder,
    )
    for (const path of [causeway.dataFolder, keys, run, `${authorities}/place-ca.json`]) {
      assert.match(failed(await bash(yard, '[ -d "$1" ] && ls "$1" || cat "$1"', path)), DENIED)
    }
    assert.match(failed(await bash(yard, 'cat "$1"', database)), DENIED)
    failed(await curl(yard, '--unix-socket', operatorSocket, 'http://localhost/status'))
  })

  test('with 5,000 idle connections to an endpoint does not keep others from it', {
    timeout: 120_000,
  }, async () => {
    const script = `
      ulimit -n $(ulimit -Hn)
      for each in $(seq 5000); do exec {descriptor}<>"/dev/tcp/$1/443" || exit 1; done
      echo open; read until`
    const words = ['bash', '-c', script, 'hostile', endpoint.address]
    const greedy = await holdProgram(causeway, yard, words, CALLER)
    try {
      assert.equal(greedy.told, 'open')
      const url = `https://${house.loginServer}/v2/`
      for (const where of [yard, internet]) assert.equal(await status(where, url), '401')
      assert.equal(await status(field, `https://${closed.loginServer}/v2/`), '401')
      accepted(await arm.get(house.id))
    } finally {
      await greedy.end()
    }
  })

  async function untilNoProgramRuns(): Promise<void> {
    for (const deadline = Date.now() + 10_000; ; await delay(50)) {
      const { places } = await causeway.status()
      if (places.every(({ programs }) => programs.length === 0)) return
      assert.ok(Date.now() < deadline, 'a program that has ended is still there')
    }
  }
})

test('what docs/security.md says is tried, and what is tried is said there', async () => {
  const page = await readFile(join(projectFolder, 'docs/security.md'), 'utf8')
  const rows = [...page.matchAll(/\| `([\w/.-]+\.test\.ts)`: (.+?) \|$/gm)]
  for (const [, file = '', name = ''] of rows) {
    const source = await readFile(join(projectFolder, file), 'utf8')
    assert.ok(namesOf(source).includes(name), `${file} has no test '${name}'`)
  }
  for (const suite of ['test/hostile.test.ts', 'test/hostile-neighbours.test.ts']) {
    const told = rows.flatMap(([, file, name]) => (file === suite ? name : []))
    const own = await readFile(join(projectFolder, suite), 'utf8')
    const tried = namesOf(own).filter((name) => !name.startsWith('what docs/'))
    assert.deepEqual([...new Set(told)].toSorted(), tried.toSorted())
  }
})

const namesOf = (source: string): readonly string[] =>
  [...source.matchAll(/\btest\(\s*(?:'([^'\n]*)'|"([^"\n]*)"|`([^`\n]*)`)/g)].map(
    ([, plain, quoted, template]) => plain ?? quoted ?? template ?? '',
  )
