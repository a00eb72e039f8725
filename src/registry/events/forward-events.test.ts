import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestOutcome } from '../../lib/metrics.ts'
import { pushImage, startRegistry } from '../testing/registry-fixture.ts'
import { createEventForwarder, type EventBatch, receiveEvents } from './forward-events.ts'
import type { AuditEvent } from './registry-events.ts'

test('what a process tells arrives in another, in batches, as it was', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  await registry.send('GET', '/v2/app/manifests/v1')
  await registry.quiet()

  const batches: EventBatch[] = []
  const { promise: sent, resolve } = Promise.withResolvers<void>()
  const forwarder = createEventForwarder(async (batch) => {
    batches.push(batch)
    resolve()
  })
  for (const outcome of registry.outcomes) forwarder.metrics.request(outcome)
  for (const event of registry.noted) forwarder.events.note(event)
  assert.equal(batches.length, 0)
  await sent
  const outcomes: RequestOutcome[] = []
  const events: AuditEvent[] = []
  for (const batch of batches) {
    receiveEvents(batch, {
      metrics: { request: (outcome) => void outcomes.push(outcome) },
      events: { note: (event) => void events.push(event) },
    })
  }
  assert.deepEqual([outcomes, events], [registry.outcomes, registry.noted])
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
  })
  forwarder.metrics.request(outcome)
  await assert.rejects(forwarder.flush(), /nobody is there/)
  isLost = false
  forwarder.metrics.request(outcome)
  await forwarder.flush()
  await forwarder.flush()
  const outcomes: RequestOutcome[] = []
  for (const batch of arrived) {
    receiveEvents(batch, {
      metrics: { request: (each) => void outcomes.push(each) },
      events: { note: () => assert.fail() },
    })
  }
  assert.deepEqual([arrived.length, outcomes], [1, [outcome]])
})
