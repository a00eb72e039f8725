import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type ArmClient, createArmClient, refused } from './support/arm-client.ts'
import { az, signIn } from './support/az.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { type OtherRegistry, startOtherRegistry } from './support/other-registry.ts'
import { makeGroup, makeRegistry, type Registry } from './support/private-registry.ts'
import { failed, succeeded } from './support/run.ts'

const WAIT_SECONDS = 60

describe('az acr import', {
  ...needs('root', 'ip', 'az', 'docker-registry'),
  timeout: 600_000,
}, () => {
  let causeway: Causeway
  let other: OtherRegistry
  let arm: ArmClient
  let registry: Registry

  before(async () => {
    other = await startOtherRegistry()
    causeway = await startCauseway({
      configuration: `egress:\n  allow: [127.0.0.1/32]\n  authoritiesFile: ${other.authorityFile}\n`,
    })
    arm = await createArmClient(causeway)
    registry = await makeRegistry(arm, await makeGroup(arm, 'imports'), 'importhouse')
    await signIn(causeway)
  })
  after(async () => {
    await causeway?.remove()
    await other?.close()
  })

  const importFrom = (source: string, ...more: readonly string[]) =>
    az(causeway, ['acr', 'import', '--name', 'importhouse', '--source', source, ...more])
  const signedIn = () => {
    const { username, password } = other.credentials
    return ['--username', username, '--password', password]
  }
  const tagsOf = async (repository: string): Promise<string> => {
    const shown = await az(causeway, [
      ...['acr', 'repository', 'show-tags', '--name', 'importhouse'],
      ...['--repository', repository, '--output', 'tsv'],
    ])
    return shown.code === 0 ? shown.stdout.trim() : ''
  }

  test('brings an image from another registry, once, by name and password', async () => {
    const { layer } = await other.push('team/app', 'v1', randomBytes(3 << 20))
    const source = `${other.host}/team/app:v1`
    succeeded(await importFrom(source, '--image', 'app:v1', ...signedIn()))
    assert.equal(await tagsOf('app'), 'v1')
    const again = await importFrom(source, '--image', 'app:v1', ...signedIn())
    assert.match(failed(again), /Tag app:v1 already exists in target registry\./)
    succeeded(await importFrom(source, '--image', 'app:v1', '--force', ...signedIn()))
    assert.equal(other.asked.filter((path) => path.includes(layer)).length, 1)
  })

  test('says that the password is wrong, and that an image is not there', async () => {
    const wrong = await importFrom(`${other.host}/team/app:v1`, '--image', 'no:v1')
    assert.match(
      failed(wrong),
      /InvalidParameters.*does not let the repository 'team\/app' be read/,
    )
    const absent = await importFrom(
      `${other.host}/team/app:v9`,
      ...['--image', 'no:v1'],
      ...signedIn(),
    )
    assert.match(failed(absent), /ManifestUnknown/)
    assert.equal(await tagsOf('no'), '')
  })

  test('refuses what the operator has not allowed, and says no more of it', async () => {
    const port = other.host.split(':')[1]
    const { urls } = await causeway.status()
    const ownPort = new URL(urls.control).port
    for (const host of [
      `127.0.0.2:${port}`,
      `2130706434:${port}`,
      `127.0.0.1:${ownPort}`,
      '169.254.169.254',
    ]) {
      const answer = await arm.post(`${registry.id}/importImage`, {
        source: { registryUri: host, sourceImage: 'team/app:v1' },
        targetTags: ['no:v1'],
      })
      assert.match(refused(answer, 400, 'InvalidParameters'), /cannot be reached from here/)
    }
  })

  test('looks for its own names nowhere else', async () => {
    const answer = await arm.post(`${registry.id}/importImage`, {
      source: { registryUri: 'absent.azurecr.io', sourceImage: 'app:v1' },
      targetTags: ['app:v1'],
    })
    assert.deepEqual([answer.status, answer.body.error?.code], [400, 'ImportSourceNotSupported'])
  })

  test('goes on after a crash, and after an ordinary end, until it is done', async () => {
    const { layer, config } = await other.push('team/big', 'v1', randomBytes(3 << 20))
    const held = other.hold(layer)
    const begun = await arm.send('POST', `${registry.id}/importImage`, {
      source: {
        registryUri: other.host,
        sourceImage: 'team/big:v1',
        credentials: other.credentials,
      },
      targetTags: ['big:v1'],
    })
    assert.equal(begun.status, 202)
    await held.reached
    const isHere = async () => {
      const [running] = (await causeway.status()).imports
      return running?.blobs.done === 1 && running.blobs.of === 2
    }
    for (const deadline = Date.now() + WAIT_SECONDS * 1000; !(await isHere()); ) {
      assert.ok(Date.now() < deadline, `no blob in ${WAIT_SECONDS} s`)
      await delay(50)
    }
    assert.match(
      succeeded(await causeway.command(['status'])),
      /team\/big:v1 as big:v1: 1 of 2 blobs/,
    )
    await causeway.end('SIGKILL')
    await causeway.startAgain()
    // Ended while it waits for the layer: it must not have to be waited for.
    assert.equal(await causeway.end('SIGTERM'), 0)
    held.release()
    await causeway.startAgain()
    for (const deadline = Date.now() + WAIT_SECONDS * 1000; (await tagsOf('big')) !== 'v1'; ) {
      assert.ok(Date.now() < deadline, `not imported in ${WAIT_SECONDS} s`)
      await delay(200)
    }
    assert.equal(other.asked.filter((path) => path.endsWith(`/team/big/blobs/${config}`)).length, 1)
  })
})
