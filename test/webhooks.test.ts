import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { az, signIn } from './support/az.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { makeGroup, makeRegistry, type Registry } from './support/private-registry.ts'
import { type Received, type Receiver, startReceiver } from './support/receiver.ts'
import { failed, succeeded } from './support/run.ts'

const WAIT_SECONDS = 120

describe('az acr webhook', { ...needs('places', 'ip', 'az'), timeout: 600_000 }, () => {
  let causeway: Causeway
  let receiver: Receiver
  let arm: ArmClient
  let registry: Registry

  before(async () => {
    receiver = await startReceiver()
    causeway = await startCauseway({
      configuration: `egress:\n  allow: [127.0.0.1/32]\n  authoritiesFile: ${receiver.authorityFile}\n`,
    })
    arm = await createArmClient(causeway)
    registry = await makeRegistry(arm, await makeGroup(arm, 'hooks'), 'hookhouse', 'Basic')
    await signIn(causeway)
  })
  after(async () => {
    await causeway?.remove()
    await receiver?.close()
  })

  const webhook = (command: string, ...more: readonly string[]) =>
    az(causeway, [
      ...['acr', 'webhook', command, '--registry', 'hookhouse'],
      ...(command === 'list' ? [] : ['--name', 'myhook']),
      ...more,
      ...['--output', 'json'],
    ])
  const shown = async (command: string, ...more: readonly string[]) =>
    JSON.parse(succeeded(await webhook(command, ...more)))

  async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + WAIT_SECONDS * 1000; !(await holds()); ) {
      assert.ok(Date.now() < deadline, `${what}: not in ${WAIT_SECONDS} s`)
      await delay(100)
    }
  }
  const about = (action: string, tag?: string) => (one: Received) =>
    one.event.action === action && one.event.target?.tag === tag
  const importAs = async (image: string) =>
    accepted(
      await arm.post(`${registry.id}/importImage`, {
        source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
        targetTags: [image],
      }),
    )

  test('creates, shows, lists and changes one, without its secrets', async () => {
    const uri = `https://127.0.0.1:${receiver.port}/hook`
    const created = await shown('create', '--uri', uri, '--actions', 'push', 'delete')
    assert.deepEqual(
      [created.status, created.scope, created.actions],
      ['enabled', '', ['push', 'delete']],
    )
    const updated = await shown('update', '--scope', 'app:*', '--headers', 'X-Key=key-of-mine')
    assert.equal(updated.scope, 'app:*')
    assert.equal((await shown('show')).provisioningState, 'Succeeded')
    const list = await shown('list')
    assert.deepEqual(
      list.map(({ name }: { name: string }) => name),
      ['myhook'],
    )
    assert.doesNotMatch(JSON.stringify([created, updated, list]), /127\.0\.0\.1|key-of-mine/)
    const config = await shown('get-config')
    assert.deepEqual([config.serviceUri, config.customHeaders], [uri, { 'X-Key': 'key-of-mine' }])
  })

  test('a ping arrives, signed, and is among the events', async () => {
    const { id } = await shown('ping')
    await until('the ping', () => receiver.received.length === 1)
    const [{ headers, body, event } = assert.fail()] = receiver.received
    assert.deepEqual([event.id, event.action, headers['x-key']], [id, 'ping', 'key-of-mine'])
    const config = accepted(
      await arm.post<{ signingSecret: string }>(`${registry.id}/webhooks/myhook/getCallbackConfig`),
    )
    const mac = createHmac('sha256', config.signingSecret).update(body).digest('hex')
    assert.equal(headers['x-causeway-signature-256'], `sha256=${mac}`)
    let events: { id: string; eventResponseMessage?: { statusCode: string; content: string } }[] =
      []
    await until('the event', async () => {
      events = await shown('list-events')
      return events[0]?.eventResponseMessage !== undefined
    })
    assert.deepEqual([events[0]?.id, events[0]?.eventResponseMessage?.statusCode], [id, '200'])
    assert.doesNotMatch(JSON.stringify(events), /key-of-mine/)
  })

  test('a receiver that fails is told again, also after a crash in between', async () => {
    receiver.failNext(2)
    await importAs('app:v1')
    await until('the first try', () => receiver.received.some(about('push', 'v1')))
    await causeway.end('SIGKILL')
    await causeway.startAgain()
    // At another port than before.
    arm = await createArmClient(causeway, 'Contributor')
    await until('three tries', () => receiver.received.filter(about('push', 'v1')).length >= 3)
    const tries = receiver.received.filter(about('push', 'v1'))
    assert.equal(new Set(tries.map(({ event }) => event.id)).size, 1)
    await until('the end of it', async () => {
      const [event] = await shown('list-events')
      return event.eventResponseMessage?.statusCode === '200'
    })
    assert.equal(receiver.received.filter(about('push', 'v1')).length, 3)
  })

  test('only what is in its scope is told, and a deletion is', async () => {
    await importAs('other:v1')
    await importAs('app:v2')
    await until('the push', () => receiver.received.some(about('push', 'v2')))
    assert.ok(receiver.received.every(({ event }) => event.target?.repository !== 'other'))
    succeeded(
      await az(causeway, [
        ...['acr', 'repository', 'delete', '--name', 'hookhouse'],
        ...['--image', 'app:v2', '--yes'],
      ]),
    )
    await until('the deletion', () => receiver.received.some(about('delete')))
    const deletion = receiver.received.find(about('delete'))
    assert.equal(deletion?.event.target?.repository, 'app')
    assert.match(String(deletion?.event.target?.digest), /^sha256:/)
  })

  test('a third is too many for Basic; a deleted one is told nothing more', async () => {
    const create = (name: string) =>
      az(causeway, [
        ...['acr', 'webhook', 'create', '--registry', 'hookhouse', '--name', name],
        ...['--uri', 'https://receiver.example/', '--actions', 'push'],
      ])
    succeeded(await create('second'))
    assert.match(failed(await create('third')), /Quota exceeded for resource type webhooks/)
    succeeded(await webhook('delete'))
    const before = receiver.received.length
    await importAs('app:v3')
    assert.deepEqual((await shown('list')).length, 1)
    assert.equal(receiver.received.length, before)
  })
})
