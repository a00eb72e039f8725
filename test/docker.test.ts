import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { type DockerEngine, startDockerEngine } from './support/docker-engine.ts'
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

const network = { vnet: 'build' }
const SAMPLE = 'dockerhouse.azurecr.io/hello-world:v1'

describe('Docker Engine in a network whose registry is closed to the public', {
  ...needs('root', 'ip', 'docker'),
  timeout: 300_000,
}, () => {
  let causeway: Causeway
  let engine: DockerEngine
  let admin: { username: string; password: string }

  before(async () => {
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'docker')
    const registry = await makeRegistry(arm, group, 'dockerhouse')
    await importSample(arm, registry)
    admin = await adminOf(arm, registry)
    await connect(arm, await makeNetwork(arm, group, network.vnet), registry)
    await setPublicAccess(arm, registry, 'Disabled')
    engine = await startDockerEngine(causeway, network)
  })
  after(async () => {
    await engine?.stop()
    await causeway?.remove()
  })

  const login = (password: string) =>
    engine.docker(
      ['login', 'dockerhouse.azurecr.io', '--username', admin.username, '--password-stdin'],
      { input: password },
    )

  test('without a login a pull is refused', async () => {
    assert.match(
      failed(await engine.docker(['pull', SAMPLE])),
      /unauthorized|authentication required/i,
    )
  })

  test('401: a wrong password is refused', async () => {
    assert.match(failed(await login('not-the-password')), /unauthorized|401/i)
  })

  test('login, pull and run of the sample image', async () => {
    assert.match(succeeded(await login(admin.password)), /Login Succeeded/)
    assert.match(succeeded(await engine.docker(['pull', SAMPLE])), /Downloaded newer image/)
    const greeting = succeeded(await engine.docker(['run', '--rm', '--network', 'none', SAMPLE]))
    assert.match(greeting, /\S/)
  })

  test('what is pushed comes back under the same digest', async () => {
    const pushed = 'dockerhouse.azurecr.io/team/greeting:v2'
    succeeded(await engine.docker(['tag', SAMPLE, pushed]))
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(
      succeeded(await engine.docker(['push', pushed])),
    )?.[1]
    succeeded(await engine.docker(['rmi', pushed, SAMPLE]))
    const pulled = succeeded(await engine.docker(['pull', pushed]))
    assert.equal(/Digest: (sha256:[0-9a-f]{64})/.exec(pulled)?.[1], digest)
  })

  test('404: an unknown tag is refused', async () => {
    const unknown = 'dockerhouse.azurecr.io/hello-world:never'
    assert.match(failed(await engine.docker(['pull', unknown])), /manifest unknown|not found/i)
  })
})
