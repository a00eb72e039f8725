import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { makeGroup, makeNetwork } from './support/private-registry.ts'
import { failed, run, succeeded } from './support/run.ts'

const network = { vnet: 'lab' }

describe('a program in a place', { ...needs('places', 'ip'), timeout: 180_000 }, () => {
  let causeway: Causeway
  let home: string

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'causeway-home-'))
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    // Three machines fit: of eight addresses the first four and the last are the platform's.
    await makeNetwork(arm, await makeGroup(arm, 'places'), 'lab', '10.9.0.0/16', '10.9.0.0/29')
  })
  after(async () => {
    await causeway?.remove()
    await rm(home, { recursive: true, force: true })
  })

  const sh = async (script: string, options = {}): Promise<string> =>
    succeeded(await causeway.inPlace(network, ['sh', '-c', script], options)).trim()

  test('has its own address, taken from the top of the subnet and free again at its end', async () => {
    const address = "ip -4 -o addr show scope global | grep -o '10\\.9\\.0\\.[0-9]*' | head -1"
    assert.equal(await sh(address), '10.9.0.6')
    assert.equal(await sh(address), '10.9.0.6')
  })

  test('has no second address that would come by itself while it runs', async () => {
    assert.equal(await sh('ip -6 -oneline address show dev eth0'), '')
  })

  test('two at once have two addresses, and a fourth finds the subnet full', async () => {
    const [file, ...args] = causeway.placeArguments(network, ['sh', '-c', 'read until_closed'])
    const held = [1, 2, 3].map(() => spawn(file, args, { stdio: ['pipe', 'ignore', 'inherit'] }))
    const ended = held.map((child) => new Promise((resolve) => child.once('close', resolve)))
    try {
      await untilPrograms(3)
      const { places } = await causeway.status()
      const programs = places.find(({ name }) => name === 'lab')?.programs ?? []
      assert.deepEqual(programs.map((each) => each.address).sort(), [
        '10.9.0.4',
        '10.9.0.5',
        '10.9.0.6',
      ])
      failed(await causeway.inPlace(network, ['true']))
    } finally {
      for (const child of held) child.stdin.end()
      await Promise.all(ended)
    }
    assert.equal(await sh('echo free again'), 'free again')
  })

  test('asks the resolver of the platform', async () => {
    assert.match(await sh('cat /etc/resolv.conf'), /^nameserver 168\.63\.129\.16$/m)
  })

  test('finds its credentials and configuration folders, which outlive it', async () => {
    const names = ['AZURE_CONFIG_DIR', 'DOCKER_CONFIG', 'REGISTRY_AUTH_FILE']
    const credentials = ['CLIENT_ID', 'CLIENT_SECRET', 'TENANT_ID', 'SUBSCRIPTION_ID']
    const printed = await sh(
      [...names, ...credentials.map((name) => `AZURE_${name}`)]
        .map((name) => `printenv ${name}`)
        .join(' && '),
    )
    const values = printed.split('\n')
    assert.equal(values.length, 7)
    assert.equal(values[6], (await causeway.status()).subscriptionId)
    for (const folder of values.slice(0, 3))
      assert.ok(folder.startsWith(causeway.dataFolder), folder)
    await sh('echo kept > "$AZURE_CONFIG_DIR/note"')
    assert.equal(await sh('cat "$AZURE_CONFIG_DIR/note"'), 'kept')
  })

  test("leaves the caller's own configuration alone", async () => {
    const environment = { ...process.env, HOME: home }
    const script = 'az cloud show --output none; docker --version'
    await causeway.inPlace(internet, ['sh', '-c', script], { environment })
    assert.deepEqual(await readdir(home), [])
  })

  test('sees no proxy of the caller', async () => {
    const proxies = { HTTPS_PROXY: 'http://192.0.2.1:3128', http_proxy: 'http://192.0.2.1:3128' }
    const printed = await sh('env', { environment: { ...process.env, ...proxies } })
    assert.doesNotMatch(printed, /_proxy=/i)
  })

  test('keeps the working directory and passes its exit code on', async () => {
    assert.equal(await sh('pwd', { cwd: home }), home)
    assert.equal((await causeway.inPlace(network, ['sh', '-c', 'exit 42'])).code, 42)
    assert.equal((await causeway.inPlace(network, ['sh', '-c', 'kill -TERM $$'])).code, 143)
  })

  test('cannot reach the host or the real internet', async () => {
    const listener = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    const connect = (target: string) => ['timeout', '3', 'bash', '-c', `exec 3<>/dev/tcp/${target}`]
    try {
      const [program = '', ...args] = connect(`127.0.0.1/${port}`)
      succeeded(await run(program, args))
      for (const where of [network, internet]) {
        failed(await causeway.inPlace(where, connect(`127.0.0.1/${port}`)))
        failed(await causeway.inPlace(where, connect('1.1.1.1/443')))
      }
    } finally {
      listener.close()
    }
  })

  test('does not see the sockets of the host that would leak out of the place', async () => {
    for (const socket of ['/var/run/docker.sock', '/run/docker.sock']) {
      if (!existsSync(socket)) continue
      failed(await causeway.inPlace(internet, ['docker', '-H', `unix://${socket}`, 'version']))
    }
  })

  test('cannot start another one there by itself, and is told so at once', {
    skip: process.geteuid?.() === 0 ? 'root may' : false,
  }, async () => {
    const [file, ...args] = causeway.placeArguments(internet, ['true'])
    const told = failed(await causeway.inPlace(network, [file, ...args], { timeoutSeconds: 8 }))
    assert.match(told, /call 'causeway exec' outside of places/)
  })

  test('in a network that does not exist is refused, and the message says what there is', async () => {
    const output = failed(await causeway.inPlace({ vnet: 'nowhere' }, ['true']))
    assert.match(output, /nowhere/)
    assert.doesNotMatch(output, /\n\s+at /)
  })

  test('gone networks take their namespace with them', async () => {
    const arm = await createArmClient(causeway, 'Contributor')
    const { places } = await causeway.status()
    const lab = places.find(({ name }) => name === 'lab')
    assert.ok(lab && (await causeway.namespaces()).includes(lab.namespace))
    await arm.delete(
      `${arm.subscription}/resourceGroups/places/providers/Microsoft.Network/virtualNetworks/lab`,
    )
    assert.ok(!(await causeway.namespaces()).includes(lab.namespace))
  })

  async function untilPrograms(count: number): Promise<void> {
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; ) {
      const { places } = await causeway.status()
      if ((places.find(({ name }) => name === 'lab')?.programs.length ?? 0) === count) return
    }
    throw new Error(`there were never ${count} programs in the network`)
  }
})
