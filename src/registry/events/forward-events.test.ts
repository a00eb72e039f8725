import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequestTotals } from '../../lib/request-totals.ts'
import { pushImage, startRegistry } from '../testing/registry-fixture.ts'
import { createEventForwarder, type EventBatch } from './forward-events.ts'

test('what a process tells arrives in another, in batches, as it was', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  await registry.send('GET', '/v2/app/manifests/v1')
  await registry.quiet()

  const batches: EventBatch[] = []
  const { promise: sent, resolve } = Promise.withResolvers<void>()
  const forwarder = createEventForwarder(async (batch) => {
    // As between processes.
    batches.push(structuredClone(batch))
    resolve()
  }, JSON.stringify)
  const here = createRequestTotals()
  for (const outcome of registry.outcomes) {
    here.add(outcome)
    forwarder.metrics.request(outcome)
  }
  for (const event of registry.noted) forwarder.events.note(event)
  assert.equal(batches.length, 0)
  await sent
  const there = createRequestTotals()
  for (const total of batches.flatMap(({ requests }) => requests)) there.merge(total)
  assert.deepEqual(there.all(), here.all())
  assert.deepEqual(
    batches.flatMap(({ events }) => events.map((text) => JSON.parse(text))),
    registry.noted,
  )
  assert.equal(batches.length, 1)
})

test('the end sends what waits, and a batch that is lost loses nothing that comes after', async (t) => {
  const registry = await startRegistry(t)
  await registry.send('GET', '/v2/')
  await registry.quiet()
  const [outcome = assert.fail()] = registry.outcomes
  const arrived: EventBatch[] = []
  let isLost = true
  const forwarder = createEventForwarder(async (batch) => {
    if (isLost) throw new Error('nobody is there')
    arrived.push(batch)
  }, JSON.stringify)
  forwarder.metrics.request(outcome)
  await assert.rejects(forwarder.flush(), /nobody is there/)
  isLost = false
  forwarder.metrics.request(outcome)
  await forwarder.flush()
  await forwarder.flush()
  const once = createRequestTotals()
  once.add(outcome)
  assert.deepEqual(
    arrived.map(({ requests }) => requests),
    [once.all()],
  )
})
