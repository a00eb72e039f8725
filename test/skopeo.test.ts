import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import {
  adminOf,
  connect,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
  setPublicAccess,
} from './support/private-registry.ts'
import { failed, succeeded } from './support/run.ts'

const network = { vnet: 'copies' }
const HOST = 'skopeohouse.azurecr.io'

describe('skopeo through a private endpoint', {
  ...needs('places', 'ip', 'skopeo'),
  timeout: 180_000,
}, () => {
  let causeway: Causeway
  let folder: string

  const skopeo = (args: readonly string[], input?: string) =>
    causeway.inPlace(network, ['skopeo', ...args], { ...(input !== undefined && { input }) })

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-skopeo-'))
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'skopeo')
    const registry = await makeRegistry(arm, group, 'skopeohouse')
    await importSample(arm, registry)
    const admin = await adminOf(arm, registry)
    await connect(arm, await makeNetwork(arm, group, network.vnet), registry)
    await setPublicAccess(arm, registry, 'Disabled')
    succeeded(
      await skopeo(
        ['login', '--username', admin.username, '--password-stdin', HOST],
        admin.password,
      ),
    )
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  test('inspects the sample image, whose index serves both architectures', async () => {
    const raw = succeeded(await skopeo(['inspect', '--raw', `docker://${HOST}/hello-world:v1`]))
    const { manifests } = JSON.parse(raw) as {
      manifests: { platform: { os: string; architecture: string } }[]
    }
    const platforms = manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`)
    assert.deepEqual(platforms.sort(), ['linux/amd64', 'linux/arm64'])
  })

  test('copies an image out, in again, and across repositories, all architectures', async () => {
    const directory = `dir:${folder}/image`
    succeeded(await skopeo(['copy', '--all', `docker://${HOST}/hello-world:v1`, directory]))
    succeeded(await skopeo(['copy', '--all', directory, `docker://${HOST}/team/hello:v1`]))
    // The registry has the layers already: this mounts them.
    const mounted = `docker://${HOST}/other/hello:v1`
    succeeded(await skopeo(['copy', '--all', `docker://${HOST}/team/hello:v1`, mounted]))
    const [first, last] = await Promise.all(
      [`docker://${HOST}/hello-world:v1`, mounted].map(async (image) =>
        succeeded(await skopeo(['inspect', '--raw', image])),
      ),
    )
    assert.equal(last, first)
  })

  test('lists tags', async () => {
    const listed = succeeded(await skopeo(['list-tags', `docker://${HOST}/hello-world`]))
    assert.deepEqual((JSON.parse(listed) as { Tags: string[] }).Tags, ['v1'])
  })

  test('deletes an image', async () => {
    succeeded(await skopeo(['delete', `docker://${HOST}/other/hello:v1`]))
    const output = failed(await skopeo(['inspect', '--raw', `docker://${HOST}/other/hello:v1`]))
    assert.match(output, /manifest unknown|not found|name unknown|repository name not known/i)
  })
})
