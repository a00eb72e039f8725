import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type ArmClient, createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import {
  connect,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
} from './support/private-registry.ts'
import { accessToken, bearer, curl } from './support/registry-client.ts'
import { failed, succeeded } from './support/run.ts'

const HOST = 'twinhouse.azurecr.io'
const network = { vnet: 'twin' }
const PULL = 'repository:hello-world:pull'
const MANIFEST = `https://${HOST}/v2/hello-world/manifests/v1`

// The tests build on each other: one server is killed, and the other must not notice.
describe('two servers of one user', {
  ...needs('places', 'ip', 'curl', 'dig'),
  timeout: 600_000,
}, () => {
  let one: Causeway
  let other: Causeway

  before(async () => {
    one = await startCauseway()
    await setUp(await createArmClient(one))
    other = await startCauseway()
    await setUp(await createArmClient(other))
  })
  after(async () => {
    await one?.remove()
    await other?.remove()
  })

  async function setUp(arm: ArmClient): Promise<void> {
    const group = await makeGroup(arm, 'twins')
    const registry = await makeRegistry(arm, group, 'twinhouse')
    await importSample(arm, registry)
    await connect(arm, await makeNetwork(arm, group, network.vnet), registry)
  }

  async function isWhole(causeway: Causeway): Promise<void> {
    assert.equal((await causeway.status()).state, 'serving')
    const names = succeeded(await causeway.inPlace(network, ['dig', '+short', HOST]))
    assert.match(names, /\n10\.0\.0\.\d+\n$/)
    const token = await accessToken(causeway, network, HOST, PULL)
    const pulled = await curl(causeway, network, [...bearer(token), MANIFEST])
    assert.equal(pulled.status, 200)
  }

  test('serve the same names and addresses at once, each in its own namespaces', async () => {
    await isWhole(one)
    await isWhole(other)
    const [first, second] = [await one.namespaces(), await other.namespaces()]
    assert.deepEqual(
      first.filter((namespace) => second.includes(namespace)),
      [],
    )
  })

  test('401: what one has signed is worth nothing at the other', async () => {
    const token = await accessToken(one, network, HOST, PULL)
    assert.equal((await curl(one, network, [...bearer(token), MANIFEST])).status, 200)
    assert.equal((await curl(other, network, [...bearer(token), MANIFEST])).status, 401)
  })

  test('on one port: the second says that it is taken, and what to do', async () => {
    const { port } = await one.status()
    assert.equal(await other.end('SIGTERM'), 0)
    const refused = failed(await other.command(['up', '--empty', '--port', String(port)]))
    assert.match(refused, new RegExp(`Port ${port} is taken: give --port another number, or 0`))
    assert.doesNotMatch(refused, /\n\s+at /)
    assert.deepEqual(await other.namespaces(), [])
    await other.startAgain()
    await isWhole(one)
    await isWhole(other)
  })

  test('on the default port: the second says so as well', async () => {
    assert.equal(await other.end('SIGTERM'), 0)
    const server = createServer()
    // It is taken by this or by somebody else's, which is as good.
    await new Promise<void>((resolve) => {
      server.once('error', () => resolve()).listen(7443, '127.0.0.1', () => resolve())
    })
    try {
      assert.match(
        failed(await other.command(['up', '--empty'])),
        /Port 7443 is taken: give --port/,
      )
    } finally {
      server.close()
    }
    await other.startAgain()
  })

  test('on one folder: the second says that it is served, and by which command one learns more', async () => {
    const refused = failed(await one.command(['up', '--empty', '--port', '0']))
    assert.match(refused, /is served already\. 'causeway status' tells by whom/)
    await isWhole(one)
  })

  test('a crash of one leaves the other whole', async () => {
    assert.equal(await one.end('SIGKILL'), 137)
    await isWhole(other)
    await one.startAgain()
    await isWhole(one)
  })

  test("'down' of one leaves the other whole", async () => {
    succeeded(await one.command(['down']))
    await one.ended()
    assert.deepEqual(await one.namespaces(), [])
    await isWhole(other)
    await one.startAgain()
    await isWhole(one)
    await isWhole(other)
  })
})
