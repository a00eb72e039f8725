import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import {
  connect,
  type Endpoint,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
  type Registry,
  setPublicAccess,
} from './support/private-registry.ts'
import { accessToken, bearer, curl } from './support/registry-client.ts'
import { succeeded } from './support/run.ts'

const HOST = 'lastinghouse.azurecr.io'
const network = { vnet: 'lasting' }

// The tests build on each other: each ends the server in another way.
describe('a server that was ended', {
  ...needs('places', 'ip', 'dig', 'curl'),
  timeout: 240_000,
}, () => {
  let causeway: Causeway
  let arm: ArmClient
  let registry: Registry
  let endpoint: Endpoint
  let token: string

  before(async () => {
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'lasting')
    registry = await makeRegistry(arm, group, 'lastinghouse')
    await importSample(arm, registry)
    endpoint = await connect(arm, await makeNetwork(arm, group, network.vnet), registry)
    await setPublicAccess(arm, registry, 'Disabled')
    token = await accessToken(causeway, network, HOST, 'repository:hello-world:pull')
  })
  after(() => causeway?.remove())

  async function isWhole(): Promise<void> {
    const { state, places } = await causeway.status()
    assert.equal(state, 'serving')
    const listeners = places.find(({ name }) => name === network.vnet)?.listeners ?? []
    assert.ok(listeners.some(({ address, host }) => address === endpoint.address && host === HOST))
    const names = succeeded(await causeway.inPlace(network, ['dig', '+short', HOST]))
    assert.deepEqual(names.trim().split('\n'), [
      'lastinghouse.privatelink.azurecr.io.',
      endpoint.address,
    ])
    // A token from before is good after: the keys are kept.
    const pulled = await curl(causeway, network, [
      ...bearer(token),
      `https://${HOST}/v2/hello-world/manifests/v1`,
    ])
    assert.equal(pulled.status, 200)
  }

  test('by a crash starts again whole, in the namespaces that survived', async () => {
    await isWhole()
    const places = (await causeway.status()).places.map(({ namespace }) => namespace)
    assert.equal(await causeway.end('SIGKILL'), 137)
    const survived = await causeway.namespaces()
    assert.deepEqual(
      places.filter((namespace) => !survived.includes(namespace)),
      [],
    )
    await causeway.startAgain()
    assert.deepEqual(
      (await causeway.status()).places.map(({ namespace }) => namespace),
      places,
    )
    await isWhole()
  })

  test('by a crash amid writes keeps every one that was acknowledged', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `written-${index}`)
    const acknowledged: string[] = []
    const fresh = await createArmClient(causeway, 'Contributor')
    const writing = Promise.allSettled(
      names.map(async (name) => {
        const id = `${fresh.subscription}/resourceGroups/${name}`
        accepted(await fresh.put(id, { location: 'westeurope' }))
        acknowledged.push(id)
        if (acknowledged.length === 10) await causeway.end('SIGKILL')
      }),
    )
    await writing
    assert.ok(acknowledged.length >= 10)
    await causeway.startAgain()
    const again = await createArmClient(causeway, 'Reader')
    for (const id of acknowledged) assert.equal((await again.get(id)).status, 200, id)
    await isWhole()
  })

  test('by SIGTERM takes its places down, keeps its data and starts again whole', async () => {
    assert.equal(await causeway.end('SIGTERM'), 0)
    assert.deepEqual(await causeway.namespaces(), [])
    await causeway.startAgain()
    await isWhole()
  })
})
