import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'

const withPolicy = (tagImmutabilityPolicy: unknown) => ({ policies: { tagImmutabilityPolicy } })

test('a registry has the policy only once it is set, and no longer than that', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  const fresh = await createRegistry('myregistry', {}, 'Basic')
  assert.equal('tagImmutabilityPolicy' in fresh.properties.policies, false)
  const patch = (policy: unknown) => arm.patch(id('myregistry'), { properties: withPolicy(policy) })
  const set = await patch({ status: 'enabled', patterns: ['prod/*', 'app'] })
  assert.equal(set.status, 200)
  const { policies } = (await arm.get(id('myregistry'))).body.properties
  assert.deepEqual(policies.tagImmutabilityPolicy, {
    status: 'enabled',
    patterns: ['prod/*', 'app'],
  })
  assert.equal(policies.retentionPolicy.status, 'disabled')
  // What another policy's change does not name stays.
  const other = { policies: { trustPolicy: { status: 'disabled' } } }
  const kept = await arm.patch(id('myregistry'), { properties: other })
  assert.deepEqual(
    kept.body.properties.policies.tagImmutabilityPolicy,
    policies.tagImmutabilityPolicy,
  )
  const gone = (await patch(null)).body.properties.policies
  assert.equal('tagImmutabilityPolicy' in gone, false)
})

test('without patterns the policy is for every repository', async (t) => {
  const { createRegistry } = await openRegistries(t)
  const { properties } = await createRegistry('myregistry', withPolicy({ status: 'Enabled' }))
  assert.deepEqual(properties.policies.tagImmutabilityPolicy, {
    status: 'enabled',
    patterns: ['*'],
  })
})

for (const [what, policy, message] of [
  ['a status that is none', { status: 'on' }, 'status'],
  ['patterns that are no list', { status: 'enabled', patterns: 'prod/*' }, 'patterns'],
  ['a pattern with an upper case letter', { patterns: ['Prod/*'] }, "'Prod/*' is no repository"],
  ['a pattern with a star in its middle', { patterns: ['a*b'] }, "'a*b' is no repository"],
  ['an empty pattern', { patterns: [''] }, "'' is no repository"],
  ['more patterns than may be', { patterns: Array(101).fill('a') }, '101 patterns'],
] as const) {
  test(`400: ${what}`, async (t) => {
    const { arm, id } = await openRegistries(t)
    const answer = await arm.put(id('myregistry'), {
      location: 'westeurope',
      sku: { name: 'Premium' },
      properties: withPolicy(policy),
    })
    assert.equal(answer.status, 400)
    assert.ok(answer.body.error.message.includes(message), answer.body.error.message)
  })
}

test('an import is told where tags stay', async (t) => {
  const { importImage, createRegistry, copies } = await openRegistries(t)
  await createRegistry('myregistry', withPolicy({ status: 'enabled', patterns: ['prod/*'] }))
  await importImage('myregistry', {
    source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
    targetTags: ['prod/hello:v1'],
    mode: 'Force',
  })
  assert.deepEqual(copies[0]?.to.immutableTagsIn, ['prod/*'])
})
