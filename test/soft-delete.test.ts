import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { makeGroup, makeRegistry, type Registry } from './support/private-registry.ts'
import { failed, succeeded } from './support/run.ts'

const NAME = 'softhouse'
const REPAIR = {
  PYTHONPATH: join(import.meta.dirname, 'support/az-repair'),
  PYTHONDONTWRITEBYTECODE: '1',
}

interface Deleted {
  readonly digest: string
  readonly tag?: string
  readonly tags?: readonly string[]
  readonly deletedAt: string
  readonly expiresAfter: string
}

// The tests build on each other: what one deletes the next restores.
describe('deleted images, by az', { ...needs('places', 'ip', 'az'), timeout: 600_000 }, () => {
  let causeway: Causeway
  let arm: ArmClient
  let registry: Registry
  let home: string
  let first: string

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'causeway-soft-'))
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    registry = await makeRegistry(arm, await makeGroup(arm, 'soft'), NAME)
    // ACR takes no soft delete where there are replicas or untagged retention.
    accepted(await arm.put(`${registry.id}/replications/eastus`, { location: 'eastus' }))
    await az(['acr', 'config', 'retention', 'update', '-r', NAME, ...retention])
    await az(['acr', 'config', 'soft-delete', 'update', '-r', NAME, ...softDelete])
    await importAs('shop/app:v1')
    first = await digestOf('v1')
  })
  after(async () => {
    await causeway?.remove()
    await rm(home, { recursive: true, force: true })
  })

  const retention = ['--status', 'enabled', '--days', '30', '--type', 'UntaggedManifests']
  const softDelete = ['--status', 'enabled', '--days', '30']

  const call = (words: readonly string[]) =>
    causeway.command(['az', ...words], { environment: { ...process.env, ...REPAIR, HOME: home } })

  const az = async (words: readonly string[]): Promise<string> => succeeded(await call(words))

  const json = async <T>(words: readonly string[]): Promise<T> =>
    JSON.parse(await az([...words, '--output', 'json'])) as T

  async function importAs(image: string): Promise<void> {
    accepted(
      await arm.post(`${registry.id}/importImage`, {
        source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
        targetTags: [image],
        mode: 'Force',
      }),
    )
  }

  const digestOf = async (tag: string): Promise<string> => {
    const words = ['acr', 'manifest', 'show-metadata', '-r', NAME, '-n', `shop/app:${tag}`]
    return (await json<{ digest: string }>(words)).digest
  }

  test('are kept for as long as the policy says', async () => {
    const policy = await json<{ retentionDays: number; status: string }>([
      ...['acr', 'config', 'soft-delete', 'show', '-r', NAME],
    ])
    assert.deepEqual([policy.retentionDays, policy.status], [30, 'enabled'])
    const untagged = await json<{ days: number; status: string }>([
      ...['acr', 'config', 'retention', 'show', '-r', NAME],
    ])
    assert.deepEqual([untagged.days, untagged.status], [30, 'enabled'])
  })

  test('are listed with the day of their end', async () => {
    await az(['acr', 'repository', 'delete', '-n', NAME, '--image', 'shop/app:v1', '--yes'])
    const manifests = await json<Deleted[]>([
      ...['acr', 'manifest', 'list-deleted', '-r', NAME, '-n', 'shop/app'],
    ])
    const [deleted] = manifests
    assert.deepEqual([deleted?.digest, deleted?.tags], [first, ['v1']])
    const days = Date.parse(deleted?.expiresAfter ?? '') - Date.parse(deleted?.deletedAt ?? '')
    assert.equal(days, 30 * 24 * 60 * 60 * 1000)
    const tags = await json<Deleted[]>([
      ...['acr', 'manifest', 'list-deleted-tags', '-r', NAME, '-n', 'shop/app:v1'],
    ])
    assert.deepEqual(
      tags.map(({ tag, digest }) => [tag, digest]),
      [['v1', first]],
    )
  })

  test('come back by their tag', async () => {
    await az(['acr', 'manifest', 'restore', '-r', NAME, '-n', 'shop/app:v1', '--yes'])
    assert.equal(await digestOf('v1'), first)
    const list = ['acr', 'manifest', 'list-deleted', '-r', NAME, '-n', 'shop/app']
    assert.deepEqual(await json<Deleted[]>(list), [])
  })

  test('take a tag from another only by force, and by digest', async () => {
    await az(['acr', 'repository', 'untag', '-n', NAME, '--image', 'shop/app:v1'])
    const [other = ''] = (
      await json<{ digest: string }[]>([
        ...['acr', 'manifest', 'list-metadata', '-r', NAME, '-n', 'shop/app'],
      ])
    )
      .map(({ digest }) => digest)
      .filter((digest) => digest !== first)
    const restore = ['acr', 'manifest', 'restore', '-r', NAME, '-n', 'shop/app:v1', '--yes']
    await az([...restore, '--digest', other])
    assert.equal(await digestOf('v1'), other)
    const refused = failed(await call([...restore, '--digest', first]))
    assert.match(refused, /the tag 'v1' exists already: restore with force to overwrite it/)
    await az([...restore, '--digest', first, '--force'])
    assert.equal(await digestOf('v1'), first)
    const tags = await json<Deleted[]>([
      ...['acr', 'manifest', 'list-deleted-tags', '-r', NAME, '-n', 'shop/app:v1'],
    ])
    assert.deepEqual(
      tags.map(({ digest }) => digest),
      [other],
    )
  })

  test('of a deleted repository come back with it', async () => {
    await az(['acr', 'repository', 'delete', '-n', NAME, '--repository', 'shop/app', '--yes'])
    const deleted = ['acr', 'repository', 'list-deleted', '-n', NAME]
    assert.deepEqual(await json<string[]>(deleted), ['shop/app'])
    const restore = ['acr', 'manifest', 'restore', '-r', NAME, '-n', 'shop/app:v1', '--yes']
    await az(restore)
    assert.deepEqual(await json<string[]>(deleted), [])
    const repositories = await json<string[]>(['acr', 'repository', 'list', '-n', NAME])
    assert.deepEqual(repositories, ['shop/app'])
  })

  test('that are there no more are said not to be', async () => {
    const restore = ['acr', 'manifest', 'restore', '-r', NAME, '-n', 'shop/app:v9', '--yes']
    assert.match(failed(await call(restore)), /No deleted manifests found for tag: v9/)
  })
})
