import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'
import { type Policies, stampPolicies } from './policies.ts'

const on = (days: number) => ({ status: 'enabled', days }) as const
const off = { status: 'disabled', days: 7 } as const

const stamp = (next: Policies['retentionPolicy'], previous: Policies | undefined, day: number) =>
  stampPolicies(
    {
      quarantinePolicy: { status: 'disabled' },
      trustPolicy: { type: 'Notary', status: 'disabled' },
      exportPolicy: { status: 'enabled' },
      azureADAuthenticationAsArmPolicy: { status: 'enabled' },
      softDeletePolicy: { retentionDays: 7, status: 'disabled' },
      retentionPolicy: next,
    },
    previous,
    new Date(Date.UTC(2026, 0, day)),
  )

test('retention counts from when it was turned on, not from when its days were changed', () => {
  const first = stamp(on(7), undefined, 1)
  const longer = stamp(on(30), first, 2)
  const stopped = stamp(off, longer, 3)
  const again = stamp(on(7), stopped, 4)
  assert.deepEqual(
    [first, longer, stopped, again].map((each) => each.retentionPolicy.enabledSince?.slice(0, 10)),
    ['2026-01-01', '2026-01-01', undefined, '2026-01-04'],
  )
  assert.equal(longer.retentionPolicy.lastUpdatedTime?.slice(0, 10), '2026-01-02')
})

test('since when retention is on is not shown', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const policies = { retentionPolicy: { status: 'enabled', days: 30 } }
  const { body } = await arm.patch(id('myregistry'), { properties: { policies } })
  assert.deepEqual(Object.keys(body.properties.policies.retentionPolicy), [
    'days',
    'lastUpdatedTime',
    'status',
  ])
})

test('a registry of any tier can delete softly, for 1 to 90 days', async (t) => {
  const { arm, id } = await openRegistries(t)
  const put = (retentionDays: number) =>
    arm.put(id('myregistry'), {
      location: 'westeurope',
      sku: { name: 'Basic' },
      properties: { policies: { softDeletePolicy: { status: 'enabled', retentionDays } } },
    })
  assert.equal((await put(90)).status, 201)
  assert.equal((await put(91)).status, 400)
  assert.equal((await put(0)).status, 400)
})
