import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'
import { createWebhookSource } from './webhook-source.ts'

test('knows webhooks by their registry, follows what changes, and reads secrets when they are needed', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const path = `${id('myregistry')}/webhooks/mywebhook`
  const properties = { serviceUri: 'https://receiver.example/', actions: ['push'], scope: 'app:*' }
  await arm.put(path, { location: 'westeurope', properties })
  const unseal = (sealed: string) => sealed.slice('sealed:'.length)
  const { resources } = arm.plane
  const source = await createWebhookSource({ resources, feed: arm.feed, unseal })
  const registry = await resources.get<{ uid: string }>(id('myregistry'))
  const uid = registry?.properties.uid ?? ''

  const [facts] = source.ofRegistry(uid)
  assert.deepEqual(
    { ...facts, uid: '' },
    { uid: '', isEnabled: true, scope: 'app:*', actions: ['push'] },
  )
  assert.equal(source.callbackOf(facts?.uid ?? '')?.serviceUri, 'https://receiver.example/')
  await arm.patch(path, {
    properties: { status: 'disabled', serviceUri: 'https://other.example/' },
  })
  assert.equal(source.ofRegistry(uid)[0]?.isEnabled, false)
  assert.equal(source.callbackOf(facts?.uid ?? '')?.serviceUri, 'https://other.example/')
  await arm.delete(id('myregistry'))
  assert.deepEqual(source.ofRegistry(uid), [])
  assert.equal(source.callbackOf(facts?.uid ?? ''), undefined)
  assert.deepEqual(source.uids(), [])
})
