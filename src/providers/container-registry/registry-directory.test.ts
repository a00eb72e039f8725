import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { parseResourceId } from '../../arm/resource-id.ts'
import type { Resource } from '../../arm/resource-type.ts'
import type { ChangeListener } from '../../storage/change-feed.ts'
import { createRegistryDirectory } from './registry-directory.ts'

const ID =
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/MyRegistry'

const POLICIES = {
  softDeletePolicy: { status: 'disabled', retentionDays: 7 },
  retentionPolicy: { status: 'disabled', days: 7 },
}

const registry = (properties: Record<string, unknown>, sku = 'Premium') =>
  resource(ID, {
    location: 'westeurope',
    top: { sku: { name: sku } },
    properties: {
      uid: 'u1',
      adminUserEnabled: false,
      dataEndpointEnabled: false,
      publicNetworkAccess: 'Enabled',
      anonymousPullEnabled: false,
      adminPasswords: ['sealed one', 'sealed two'],
      policies: POLICIES,
      ...properties,
    },
  })

const replica = (region: string) =>
  resource(`${ID}/replications/${region}`, { location: region, properties: {} })

const connection = (status: string) =>
  resource(`${ID}/privateEndpointConnections/myregistry.1`, {
    properties: { privateLinkServiceConnectionState: { status } },
  })

test('a registry is found by its login server, in any case, and by its id', async () => {
  const { directory } = await directoryOf(registry({}))
  const found = directory.byHost('myregistry.AZURECR.io')
  assert.equal(found?.role, 'login')
  assert.equal(found?.registry.uid, 'u1')
  assert.equal(directory.byId(ID.toUpperCase()), found?.registry)
  assert.equal(directory.byHost('other.azurecr.io'), undefined)
})

test('cache rules come and go with their resources', async () => {
  const { directory, change } = await directoryOf(registry({}))
  assert.equal(directory.byId(ID)?.cacheRules, undefined)
  await change(
    resource(`${ID}/cacheRules/rule1`, {
      properties: { sourceRepository: 'docker.io/library/*', targetRepository: 'hub/*' },
    }),
  )
  assert.deepEqual(directory.byId(ID)?.cacheRules, [
    {
      name: 'rule1',
      host: 'docker.io',
      sourceRepository: 'library/*',
      targetRepository: 'hub/*',
    },
  ])
})

test('data endpoints are there once they are switched on, one for each region', async () => {
  const { directory, change } = await directoryOf(registry({}))
  assert.equal(directory.byHost('myregistry.eastus.data.azurecr.io'), undefined)
  await change(registry({ dataEndpointEnabled: true }), replica('eastus'))
  const found = directory.byHost('myregistry.eastus.data.azurecr.io')
  assert.equal(found?.role === 'data' && found.region, 'eastus')
  assert.deepEqual(
    directory.byId(ID)?.dataEndpoints.map(({ region }) => region),
    ['eastus', 'westeurope'],
  )
})

test('a private endpoint switches data endpoints on until it is disconnected', async () => {
  const { directory, change } = await directoryOf(registry({}))
  await change(connection('Pending'))
  assert.equal(directory.byHost('myregistry.westeurope.data.azurecr.io')?.role, 'data')
  await change(connection('Disconnected'))
  assert.equal(directory.byId(ID)?.redirectsBlobs, false)
  assert.equal(directory.byHost('myregistry.westeurope.data.azurecr.io'), undefined)
})

for (const [what, properties, expected] of [
  ['open', {}, { kind: 'all' }],
  ['closed', { publicNetworkAccess: 'Disabled' }, { kind: 'none' }],
  [
    'open to some',
    { networkRuleSet: rules('Deny', '203.0.113.0/24') },
    { kind: 'selected', ranges: ['203.0.113.0/24'] },
  ],
  ['open with idle rules', { networkRuleSet: rules('Allow', '203.0.113.7') }, { kind: 'all' }],
  ['open to nobody', { networkRuleSet: rules('Deny') }, { kind: 'selected', ranges: [] }],
] as const) {
  test(`public access: ${what}`, async () => {
    const { directory } = await directoryOf(registry(properties))
    assert.deepEqual(directory.byId(ID)?.publicAccess, expected)
  })
}

test('the admin user is known by the hashes of its passwords, while it is on', async () => {
  const { directory, change } = await directoryOf(registry({}))
  assert.equal(directory.byId(ID)?.admin, undefined)
  await change(registry({ adminUserEnabled: true }))
  assert.deepEqual(directory.byId(ID)?.admin, {
    username: 'MyRegistry',
    passwordHashes: [sha256('one'), sha256('two')],
  })
})

test('what becomes of deleted and untagged content is what the policies say', async () => {
  const { directory, change } = await directoryOf(registry({}))
  assert.deepEqual(directory.byId(ID)?.softDelete, { isOn: false, days: 7 })
  assert.equal(directory.byId(ID)?.untaggedRetention, undefined)
  const enabledSince = '2026-01-01T00:00:00.000Z'
  const retentionPolicy = { status: 'enabled', days: 30, enabledSince }
  const softDeletePolicy = { status: 'enabled', retentionDays: 14 }
  await change(registry({ policies: { softDeletePolicy, retentionPolicy } }))
  assert.deepEqual(directory.byId(ID)?.softDelete, { isOn: true, days: 14 })
  assert.deepEqual(directory.byId(ID)?.untaggedRetention, { days: 30, from: enabledSince })
})

test('a deleted registry is gone, and every change raises the version', async () => {
  const { directory, change, remove } = await directoryOf(registry({}))
  await change(registry({ anonymousPullEnabled: true }))
  assert.equal(directory.byId(ID)?.anonymousPull, true)
  const { version } = directory
  await remove(ID)
  assert.deepEqual(directory.list(), [])
  assert.equal(directory.byHost('myregistry.azurecr.io'), undefined)
  assert.ok(directory.version > version)
})

test('what lies elsewhere changes nothing', async () => {
  const { directory, change } = await directoryOf(registry({}))
  const { version } = directory
  await change(
    resource('/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v', {}),
  )
  assert.equal(directory.version, version)
})

test('tags stay where the policy says so, while it is enabled', async () => {
  const { directory, change } = await directoryOf(registry({}))
  assert.deepEqual(directory.byId(ID)?.immutableTagsIn, [])
  const policy = (status: string) => ({
    policies: { ...POLICIES, tagImmutabilityPolicy: { status, patterns: ['prod/*'] } },
  })
  await change(registry(policy('enabled')))
  assert.deepEqual(directory.byId(ID)?.immutableTagsIn, ['prod/*'])
  await change(registry(policy('disabled')))
  assert.deepEqual(directory.byId(ID)?.immutableTagsIn, [])
})

async function directoryOf(...initial: readonly Resource[]) {
  const stored = new Map(initial.map((each) => [each.id.toLowerCase(), each]))
  const listeners: ChangeListener[] = []
  const directory = await createRegistryDirectory({
    resources: {
      get: async <P>(id: string) => stored.get(id.toLowerCase()) as Resource<P> | undefined,
      all: async <P>(type: string) =>
        [...stored.values()].filter((each) => each.type === type) as Resource<P>[],
      children: async <P>(parentId: string, type: string) =>
        [...stored.values()].filter(
          (each) => each.type === type && each.id.startsWith(`${parentId}/`),
        ) as Resource<P>[],
    },
    feed: {
      subscribe: (listener) => {
        listeners.push(listener)
        return () => {}
      },
      publish: async () => {},
    },
    settings: { registryDomain: 'azurecr.io' },
    unseal: (sealed) => sealed.replace('sealed ', ''),
  })
  const publish = async (id: string, kind: 'written' | 'deleted') => {
    const type = parseResourceId(id)?.type ?? ''
    for (const listener of listeners) await listener([{ revision: 1, id, type, kind }])
  }
  return {
    directory,
    async change(...resources: readonly Resource[]) {
      for (const each of resources) stored.set(each.id.toLowerCase(), each)
      for (const each of resources) await publish(each.id, 'written')
    },
    async remove(id: string) {
      stored.delete(id.toLowerCase())
      await publish(id, 'deleted')
    },
  }
}

function resource(id: string, rest: Partial<Resource>): Resource {
  const parsed = parseResourceId(id)
  const nobody = { createdBy: '', createdByType: 'User', createdAt: '' } as const
  const systemData = {
    ...nobody,
    lastModifiedBy: '',
    lastModifiedByType: 'User',
    lastModifiedAt: '',
  } as const
  return {
    id,
    type: parsed?.type ?? '',
    name: parsed?.name ?? '',
    top: {},
    properties: {},
    etag: '1',
    systemData,
    ...rest,
  }
}

function rules(defaultAction: string, ...values: readonly string[]) {
  return {
    defaultAction,
    virtualNetworkRules: [],
    ipRules: values.map((value) => ({ action: 'Allow', value })),
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

test('a registry that ever had an endpoint stays linked', async () => {
  const { directory, change } = await directoryOf(registry({}))
  assert.equal(directory.byId(ID)?.isPrivateLinked, false)
  await change(registry({ privateLinked: true }))
  assert.equal(directory.byId(ID)?.isPrivateLinked, true)
})
