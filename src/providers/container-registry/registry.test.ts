import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'

test('a Basic registry as az makes it', async (t) => {
  const { arm, id } = await openRegistries(t)
  const { status, body } = await arm.put(id('MyRegistry'), {
    location: 'West Europe',
    sku: { name: 'Basic' },
    properties: { adminUserEnabled: false, anonymousPullEnabled: false },
  })
  assert.equal(status, 201)
  assert.equal(body.location, 'westeurope')
  assert.deepEqual(body.sku, { name: 'Basic', tier: 'Basic' })
  assert.equal(body.properties.loginServer, 'myregistry.azurecr.io')
  assert.equal(body.properties.provisioningState, 'Succeeded')
  assert.equal(body.properties.networkRuleSet, undefined)
  assert.equal(body.properties.policies.retentionPolicy.days, 7)
  assert.ok(!Number.isNaN(Date.parse(body.properties.creationDate)))
  assert.ok(!/uid|adminPasswords|sealed/.test(JSON.stringify(body)))
})

test('a PUT of the same registry again keeps what it is', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  const first = await createRegistry('myregistry')
  const again = await arm.put(id('MYREGISTRY'), {
    location: 'westeurope',
    sku: { name: 'premium' },
  })
  assert.equal(again.status, 200)
  assert.deepEqual(again.body.properties, first.properties)
})

test('a client cannot choose what the platform keeps to itself', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  const hidden = { uid: 'chosen', adminPasswords: ['sealed:a', 'sealed:b'], loginServer: 'a.b' }
  await createRegistry('myregistry', { adminUserEnabled: true, ...hidden })
  const before = await arm.post(`${id('myregistry')}/listCredentials`)
  await arm.patch(id('myregistry'), { properties: { ...hidden, adminPasswords: null } })
  const after = await arm.post(`${id('myregistry')}/listCredentials`)
  assert.notEqual(before.body.passwords[0].value, 'a')
  assert.deepEqual(after.body, before.body)
  const { body } = await arm.get(id('myregistry'))
  assert.equal(body.properties.loginServer, 'myregistry.azurecr.io')
})

test('a registry closes, opens again, and keeps its rules when a PATCH does not name them', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const rules = { defaultAction: 'Deny', ipRules: [{ value: '203.0.113.0/24' }] }
  await arm.patch(id('myregistry'), { properties: { networkRuleSet: rules } })
  const closed = await arm.patch(id('myregistry'), {
    properties: { networkRuleSet: { defaultAction: 'Deny' }, publicNetworkAccess: 'Disabled' },
  })
  assert.equal(closed.body.properties.publicNetworkAccess, 'Disabled')
  const open = await arm.patch(id('myregistry'), { properties: { publicNetworkAccess: 'Enabled' } })
  assert.equal(open.body.properties.publicNetworkAccess, 'Enabled')
  assert.deepEqual(open.body.properties.networkRuleSet, {
    defaultAction: 'Deny',
    ipRules: [{ action: 'Allow', value: '203.0.113.0/24' }],
  })
})

test('subnet rules are seen and kept by the versions that know them', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const subnet = `${id('myregistry').split('/providers/')[0]}/providers/Microsoft.Network/virtualNetworks/v/subnets/s`
  const old = `${id('myregistry')}?api-version=2021-08-01-preview`
  await arm.patch(old, {
    properties: { networkRuleSet: { virtualNetworkRules: [{ id: subnet }] } },
  })
  const recent = await arm.patch(id('myregistry'), {
    properties: { networkRuleSet: { defaultAction: 'Deny' } },
  })
  assert.equal(recent.body.properties.networkRuleSet.virtualNetworkRules, undefined)
  const { body } = await arm.get(old)
  assert.deepEqual(body.properties.networkRuleSet.virtualNetworkRules, [
    { action: 'Allow', id: subnet },
  ])
})

test('data endpoints are named while they are on', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  await arm.put(`${id('myregistry')}/replications/eastus`, { location: 'eastus' })
  const on = await arm.patch(id('myregistry'), { properties: { dataEndpointEnabled: true } })
  assert.deepEqual(on.body.properties.dataEndpointHostNames, [
    'myregistry.eastus.data.azurecr.io',
    'myregistry.westeurope.data.azurecr.io',
  ])
  const off = await arm.patch(id('myregistry'), { properties: { dataEndpointEnabled: false } })
  assert.deepEqual(off.body.properties.dataEndpointHostNames, [])
})

for (const [what, body, status, code, message] of [
  [
    'the Classic tier',
    { sku: { name: 'Classic' } },
    400,
    'ClassicSkuDeprecated',
    'select a managed SKU',
  ],
  ['no tier', {}, 400, 'InvalidRequestContent', 'sku'],
  [
    'a closed Basic registry',
    { sku: { name: 'Basic' }, properties: { publicNetworkAccess: 'Disabled' } },
    400,
    'DisablingPublicNetworkAccessNotSupported',
    'Disabling public network access is not supported for the SKU Basic. For more information, please visit https://aka.ms/acr/private-link.',
  ],
  [
    'rules on a Standard registry',
    { sku: { name: 'Standard' }, properties: { networkRuleSet: { defaultAction: 'Deny' } } },
    400,
    'NetworkRuleSetNotSupported',
    'SKU Standard',
  ],
  [
    'data endpoints on a Standard registry',
    { sku: { name: 'Standard' }, properties: { dataEndpointEnabled: true } },
    400,
    'DataEndpointNotSupported',
    'SKU Standard',
  ],
  [
    'an IPv6 rule',
    { sku: { name: 'Premium' }, properties: { networkRuleSet: { ipRules: [{ value: '::1' }] } } },
    400,
    'InvalidRequestContent',
    'ipRules[0].value',
  ],
  [
    'a managed identity',
    { sku: { name: 'Premium' }, identity: { type: 'systemAssigned' } },
    400,
    'InvalidRequestContent',
    'managed identities are not available here',
  ],
  [
    'exports disabled while the public side is open',
    {
      sku: { name: 'Premium' },
      properties: { policies: { exportPolicy: { status: 'disabled' } } },
    },
    400,
    'BadRequest',
    'has exports disabled',
  ],
] as const) {
  test(`${status}: ${what}`, async (t) => {
    const { arm, id } = await openRegistries(t)
    const answer = await arm.put(id('myregistry'), { location: 'westeurope', ...body })
    assert.equal(answer.status, status)
    assert.equal(answer.body.error.code, code)
    assert.ok(answer.body.error.message.includes(message), answer.body.error.message)
  })
}

for (const name of ['four', 'my-registry', 'a'.repeat(51)]) {
  test(`400: the name ${name}`, async (t) => {
    const { arm, id } = await openRegistries(t)
    const { status, body } = await arm.put(id(name), { location: 'eastus', sku: { name: 'Basic' } })
    assert.equal(status, 400)
    assert.match(body.error.message, /alpha numeric characters only/)
  })
}

test('409: a name that is taken, whatever its case and group', async (t) => {
  const { arm, id, createRegistry, checkName } = await openRegistries(t)
  await createRegistry('myregistry')
  const { status, body } = await arm.put(id('MyRegistry', 'other'), {
    location: 'eastus',
    sku: { name: 'Basic' },
  })
  assert.equal(status, 409)
  assert.equal(body.error.code, 'AlreadyInUse')
  assert.match(
    body.error.message,
    /^The registry DNS name myregistry\.azurecr\.io is already in use\./,
  )
  assert.deepEqual((await checkName('MYREGISTRY')).body, {
    nameAvailable: false,
    reason: 'AlreadyExists',
    message: 'The registry MYREGISTRY is already in use.',
  })
})

test('names are free, invalid, or free again', async (t) => {
  const { arm, id, createRegistry, checkName } = await openRegistries(t)
  assert.deepEqual((await checkName('myregistry')).body, { nameAvailable: true })
  assert.equal((await checkName('my-registry')).body.reason, 'Invalid')
  await createRegistry('myregistry')
  assert.equal((await arm.delete(id('myregistry'))).status, 200)
  assert.deepEqual((await checkName('myregistry')).body, { nameAvailable: true })
  assert.equal((await arm.get(id('myregistry'))).status, 404)
})

test('the admin user has two passwords, renewed one by one', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('MyRegistry', { adminUserEnabled: true })
  const first = await arm.post(`${id('MyRegistry')}/listCredentials`)
  assert.equal(first.status, 200)
  assert.equal(first.body.username, 'MyRegistry')
  const [one, two] = first.body.passwords
  assert.deepEqual([one.name, two.name], ['password', 'password2'])
  assert.match(one.value, /^[A-Za-z0-9+/]{52}$/)
  const second = await arm.post(`${id('MyRegistry')}/regenerateCredential`, { name: 'password2' })
  assert.equal(second.body.passwords[0].value, one.value)
  assert.notEqual(second.body.passwords[1].value, two.value)
  const third = await arm.post(`${id('MyRegistry')}/listCredentials`)
  assert.deepEqual(third.body, second.body)
})

test('400: credentials while the admin user is off, or of an unknown password', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const off = await arm.post(`${id('myregistry')}/listCredentials`)
  assert.equal(off.status, 400)
  assert.equal(off.body.error.code, 'UnAuthorizedForCredentialOperations')
  const unknown = await arm.post(`${id('myregistry')}/regenerateCredential`, { name: 'password3' })
  assert.equal(unknown.status, 400)
})

test('usages show what the tier allows and what is used of it', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t, { storedBytes: 13_256 })
  await createRegistry('myregistry')
  await arm.put(`${id('myregistry')}/replications/eastus`, { location: 'eastus' })
  const { body } = await arm.get(`${id('myregistry')}/listUsages`)
  assert.deepEqual(body.value.slice(0, 3), [
    { name: 'Size', limit: 536_870_912_000, currentValue: 13_256, unit: 'Bytes' },
    { name: 'Webhooks', limit: 500, currentValue: 0, unit: 'Count' },
    { name: 'Geo-replications', limit: -1, currentValue: 2, unit: 'Count' },
  ])
})

test('400: a Premium registry steps down only without replicas and connections', async (t) => {
  const { arm, id, createRegistry, createEndpoint } = await openRegistries(t)
  await createRegistry('myregistry')
  const stepDown = () => arm.patch(id('myregistry'), { sku: { name: 'Standard' } })
  await arm.put(`${id('myregistry')}/replications/eastus`, { location: 'eastus' })
  assert.match((await stepDown()).body.error.message, /^Geo-replication is not supported/)
  await arm.delete(`${id('myregistry')}/replications/eastus`)
  await createEndpoint('pe1', id('myregistry'))
  assert.match((await stepDown()).body.error.message, /^Private link is not supported/)
  await arm.delete(`${id('myregistry')}/privateEndpointConnections/pe1.1`)
  const { status, body } = await stepDown()
  assert.equal(status, 200)
  assert.deepEqual(body.sku, { name: 'Standard', tier: 'Standard' })
  assert.equal(body.properties.networkRuleSet, undefined)
})
