import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'

const WANTED = { serviceUri: 'https://receiver.example/hook?key=abc', actions: ['push'] }

async function openWebhooks(t: TestContext, sku = 'Standard') {
  const pinged: string[] = []
  const events = [{ id: 'event-1' }]
  const registries = await openRegistries(t, {
    webhooks: {
      async ping(uid) {
        pinged.push(uid)
        return 'event-1'
      },
      events: async (uid) => (pinged.includes(uid) ? events : []),
    },
  })
  const { arm, id, createRegistry } = registries
  await createRegistry('myregistry', {}, sku)
  const path = (name = 'mywebhook') => `${id('myregistry')}/webhooks/${name}`
  const put = (properties: Record<string, unknown>, name = 'mywebhook', location = 'westeurope') =>
    arm.put(path(name), { location, properties })
  const config = async () => (await arm.post(`${path()}/getCallbackConfig`)).body
  return { ...registries, path, put, config, pinged }
}

test('shows neither its address nor its headers, but to who asks for its configuration', async (t) => {
  const { arm, put, path, config } = await openWebhooks(t)
  const customHeaders = { Authorization: 'Bearer abc' }
  const { status, body } = await put({ ...WANTED, customHeaders })
  assert.equal(status, 201)
  assert.deepEqual(body.properties, {
    status: 'enabled',
    scope: '',
    actions: ['push'],
    provisioningState: 'Succeeded',
  })
  const { signingSecret, ...rest } = await config()
  assert.deepEqual(rest, { serviceUri: WANTED.serviceUri, customHeaders })
  assert.match(signingSecret, /^[\w-]{43}$/)
  const shown = JSON.stringify([(await arm.get(path())).body, (await arm.get(`${path()}/..`)).body])
  assert.doesNotMatch(shown, /receiver|abc|callback|uid/)
})

test('what the store holds of it is sealed', async (t) => {
  const { arm, put } = await openWebhooks(t)
  await put({ ...WANTED, customHeaders: { 'X-Key': 'secret' } })
  const rows = await arm.database.kysely.selectFrom('resources').selectAll().execute()
  const stored = rows.find(({ type }) => type.endsWith('/webhooks'))?.properties ?? ''
  const { callback, ...rest } = JSON.parse(String(stored))
  assert.match(callback, /^sealed:/)
  assert.deepEqual(Object.keys(rest).sort(), [
    'actions',
    'provisioningState',
    'scope',
    'status',
    'uid',
  ])
})

test('a PATCH changes what it names; headers are replaced as a whole, the key stays', async (t) => {
  const { arm, put, path, config } = await openWebhooks(t)
  await put({ ...WANTED, customHeaders: { a: '1', b: '2' } })
  const before = await config()
  const answer = await arm.patch(path(), { properties: { scope: 'app:*', status: 'disabled' } })
  assert.equal(answer.status, 200)
  assert.deepEqual(await config(), before)
  assert.deepEqual(
    [answer.body.properties.scope, answer.body.properties.status],
    ['app:*', 'disabled'],
  )
  await arm.patch(path(), { properties: { customHeaders: { c: '3' } } })
  assert.deepEqual(await config(), { ...before, customHeaders: { c: '3' } })
  await arm.patch(path(), { properties: { customHeaders: {} } })
  const { customHeaders: _, ...without } = before
  assert.deepEqual(await config(), without)
})

test('the same PUT again changes nothing', async (t) => {
  const { put } = await openWebhooks(t)
  const { body } = await put(WANTED)
  assert.deepEqual((await put(WANTED)).body, body)
})

test('ping and listEvents are those of the queue; one of the same name later is another', async (t) => {
  const { arm, put, path, pinged } = await openWebhooks(t)
  await put(WANTED)
  assert.deepEqual((await arm.post(`${path()}/ping`)).body, { id: 'event-1' })
  const events = async () => (await arm.post(`${path()}/listEvents`)).body
  assert.deepEqual(await events(), { value: [{ id: 'event-1' }] })
  await arm.delete(path())
  await put(WANTED)
  assert.deepEqual(await events(), { value: [] })
  assert.equal(pinged.length, 1)
})

for (const [sku, most] of [
  ['Basic', 2],
  ['Standard', 10],
] as const) {
  test(`400: ${sku} has at most ${most}`, async (t) => {
    const { arm, put, id } = await openWebhooks(t, sku)
    for (let count = 0; count < most; count++) {
      assert.equal((await put(WANTED, `webhook${count}`)).status, 201)
    }
    const { status, body } = await put(WANTED, 'onemore')
    assert.deepEqual(
      [status, body.error],
      [
        400,
        {
          code: 'QuotaExceeded',
          message: `Quota exceeded for resource type webhooks for the registry SKU ${sku}. Learn more about different SKU quotas and upgrade process: https://aka.ms/acr/tiers`,
        },
      ],
    )
    assert.equal((await put(WANTED, 'webhook0')).status, 200)
    const usages = (await arm.get(`${id('myregistry')}/listUsages`)).body.value
    assert.deepEqual(
      usages.find(({ name }: { name: string }) => name === 'Webhooks'),
      { name: 'Webhooks', limit: most, currentValue: most, unit: 'Count' },
    )
  })
}

for (const [what, properties, message] of [
  ['no address', { actions: ['push'] }, /serviceUri/],
  ['no action', { ...WANTED, actions: [] }, /actions/],
  ['an unknown action', { ...WANTED, actions: ['pull'] }, /actions/],
  ['no URL', { ...WANTED, serviceUri: 'receiver' }, /https address/],
  ['another scheme', { ...WANTED, serviceUri: 'file:///etc/passwd' }, /https address/],
  ['credentials in it', { ...WANTED, serviceUri: 'https://a:b@receiver.example' }, /customHeaders/],
  ['a header with a line break', { ...WANTED, customHeaders: { a: 'b\r\nc: d' } }, /'a'/],
  ['a name that is none', { ...WANTED, customHeaders: { 'a b': 'c' } }, /'a b'/],
  ['a header of ours', { ...WANTED, customHeaders: { 'Content-Length': '0' } }, /cannot be set/],
  ['a header that is no text', { ...WANTED, customHeaders: { a: 1 } }, /customHeaders/],
  ['too much of them', { ...WANTED, customHeaders: { a: 'x'.repeat(9000) } }, /8192/],
  ['a scope that is none', { ...WANTED, scope: 'App:v1' }, /scope/],
  ['a scope of three parts', { ...WANTED, scope: 'a:b:c' }, /scope/],
] as const) {
  test(`400: ${what}`, async (t) => {
    const { arm, put, path } = await openWebhooks(t)
    const { status, body } = await put(properties)
    assert.equal(status, 400)
    assert.match(body.error.message, message)
    assert.equal((await arm.get(path())).status, 404)
  })
}

test('400: a region in which the registry is not, and names of a wrong form', async (t) => {
  const { arm, put, id } = await openWebhooks(t, 'Premium')
  assert.equal((await put(WANTED, 'faraway', 'eastus')).status, 400)
  await arm.put(`${id('myregistry')}/replications/eastus`, { location: 'eastus' })
  assert.equal((await put(WANTED, 'faraway', 'eastus')).status, 201)
  assert.equal((await put(WANTED, 'four')).status, 400)
  assert.equal((await put(WANTED, 'with-hyphen')).status, 400)
})
