import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ScrubProgress } from '../src/operator/contract.ts'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway, type Where } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import {
  connect,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
  type Registry,
} from './support/private-registry.ts'
import { accessToken, bearer, curl, firstLayer } from './support/registry-client.ts'

interface ReplicationDocument {
  readonly properties: { readonly status: { readonly displayStatus: string } }
}

const HOST = 'farhouse.azurecr.io'
const PULL = 'repository:hello-world:pull'
const [near, far] = [{ vnet: 'near' }, { vnet: 'far' }]

// The tests build on each other.
describe('a registry with a replica', {
  ...needs('places', 'ip', 'curl'),
  timeout: 180_000,
}, () => {
  let causeway: Causeway
  let arm: ArmClient
  let registry: Registry

  before(async () => {
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    const [group, other] = [await makeGroup(arm, 'near'), await makeGroup(arm, 'far')]
    registry = await makeRegistry(arm, group, 'farhouse')
    await importSample(arm, registry)
    accepted(await arm.put(`${registry.id}/replications/eastus`, { location: 'eastus' }))
    await connect(arm, await makeNetwork(arm, group, 'near'), registry)
    const subnet = ['10.0.0.0/16', '10.0.0.0/24', 'eastus'] as const
    await connect(arm, await makeNetwork(arm, other, 'far', ...subnet), registry)
  })
  after(async () => {
    await causeway?.remove()
  })

  /** Follows a pull of a layer: who gave it out, and its bytes. */
  async function pullFrom(where: Where) {
    const token = await accessToken(causeway, where, HOST, PULL)
    const image = { loginServer: HOST, repository: 'hello-world', tag: 'v1' }
    const layer = await firstLayer(causeway, where, image, token)
    const redirect = await curl(causeway, where, [
      ...[...bearer(token), `https://${HOST}/v2/hello-world/blobs/${layer}`],
    ])
    assert.equal(redirect.status, 307)
    const location = String(redirect.headers.location)
    const { status, text } = await curl(causeway, where, [location])
    assert.equal(status, 200)
    return { host: new URL(location).host, layer, text }
  }

  const fileIn = (store: string, digest: string) =>
    join(causeway.dataFolder, store, 'blobs/sha256', digest.slice(7, 9), digest.slice(7))
  const fileOf = (digest: string) => fileIn('replicas/eastus', digest)

  async function untilInStep(): Promise<void> {
    for (let tried = 0; tried < 100; tried++) {
      const { displayStatus } = accepted(
        await arm.get<ReplicationDocument>(`${registry.id}/replications/eastus`),
      ).properties.status
      if (displayStatus === 'Ready') return
      assert.equal(displayStatus, 'Syncing')
      await delay(100)
    }
    assert.fail('the replica is not in step after ten seconds')
  }

  test('gives out layers in the region of the client, the same everywhere', async () => {
    await untilInStep()
    const [here, there] = [await pullFrom(near), await pullFrom(far)]
    assert.equal(here.host, 'farhouse.westeurope.data.azurecr.io')
    assert.equal(there.host, 'farhouse.eastus.data.azurecr.io')
    assert.equal(there.text, here.text)
    assert.ok(existsSync(fileOf(there.layer)), 'the replica has a copy of its own')
  })

  test('gives out what a replica has lost, and brings it there again', async () => {
    const { layer } = await pullFrom(near)
    await rm(fileOf(layer))
    assert.equal((await pullFrom(far)).layer, layer)
    await untilInStep()
    assert.ok(existsSync(fileOf(layer)))
  })

  test('gives out what the home has lost, and brings it home again', async () => {
    const { layer, text } = await pullFrom(near)
    const file = fileIn('registry', layer)
    await rm(file)
    assert.equal((await pullFrom(far)).text, text)
    const home = await pullFrom(near)
    assert.deepEqual([home.host, home.text], ['farhouse.westeurope.data.azurecr.io', text])
    assert.ok(existsSync(file), 'it was not copied home')
  })

  test('has the scrub find what a region has not whole, and bring it there again', async () => {
    const { layer, text } = await pullFrom(near)
    await writeFile(fileOf(layer), 'rotten')
    const found = await causeway.command(['scrub', '--restart'])
    assert.equal(found.code, 1)
    const of = `other bytes, set aside .* ${HOST}/hello-world$`
    assert.match(found.stdout, new RegExp(`^eastus +${layer} +${of}`, 'm'))
    await untilInStep()
    const { stdout } = await causeway.command(['scrub', '--json'])
    assert.deepEqual((JSON.parse(stdout) as ScrubProgress).damaged, [])
    assert.equal((await pullFrom(far)).text, text)
  })

  test('goes on filling it after a crash', async () => {
    await rm(join(causeway.dataFolder, 'replicas'), { recursive: true })
    const { layer } = await pullFrom(far)
    await causeway.end('SIGKILL')
    await causeway.startAgain()
    assert.equal((await pullFrom(far)).layer, layer)
    for (let tried = 0; tried < 100 && !existsSync(fileOf(layer)); tried++) await delay(100)
    assert.ok(existsSync(fileOf(layer)), 'it was not copied in ten seconds')
  })
})
