import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'

const READ = 'repositories/foo/content/read'
const namesOf = (body: { value: readonly { name: string }[] }) => body.value.map(({ name }) => name)

async function openScopeMaps(t: Parameters<typeof openRegistries>[0], sku = 'Basic') {
  const registries = await openRegistries(t)
  await registries.createRegistry('myregistry', {}, sku)
  const registry = registries.id('myregistry')
  return { ...registries, registry, scopeMaps: `${registry}/scopeMaps` }
}

test('every registry, of every tier, has the five that the system defines', async (t) => {
  const { arm, scopeMaps } = await openScopeMaps(t)
  const { body } = await arm.get(scopeMaps)
  assert.deepEqual(
    body.value.map((each: { name: string; properties: { actions: string[] } }) => [
      each.name,
      each.properties.actions.map((action) => action.replace('repositories/*/', '')).join(' '),
    ]),
    [
      [
        '_repositories_admin',
        'metadata/read metadata/write content/read content/write content/delete',
      ],
      ['_repositories_pull', 'content/read'],
      ['_repositories_pull_metadata_read', 'content/read metadata/read'],
      ['_repositories_push', 'content/read content/write'],
      [
        '_repositories_push_metadata_write',
        'metadata/read metadata/write content/read content/write',
      ],
    ],
  )
  const one = await arm.get(`${scopeMaps}/_REPOSITORIES_PULL`)
  assert.deepEqual([one.status, one.body], [200, body.value[1]])
  assert.equal(one.body.id, `${scopeMaps}/_repositories_pull`)
  assert.equal(one.body.properties.type, 'SystemDefined')
  assert.equal(one.body.properties.description, 'Can pull any repository of the registry')
})

test('400: those are neither changed nor deleted', async (t) => {
  const { arm, scopeMaps } = await openScopeMaps(t)
  const path = `${scopeMaps}/_repositories_pull`
  const properties = { actions: ['repositories/*/content/write'] }
  for (const answer of [
    await arm.put(path, { properties }),
    await arm.put(path.toUpperCase(), { properties }),
    await arm.patch(path, { properties }),
    await arm.delete(path),
  ]) {
    assert.equal(answer.status, 400)
    assert.match(answer.body.error.message, /defined by the system and cannot be changed/)
  }
  assert.deepEqual((await arm.get(path)).body.properties.actions, ['repositories/*/content/read'])
})

test('404: in a registry that is not there, not even those are', async (t) => {
  const { arm, id } = await openScopeMaps(t)
  const path = `${id('nowhere')}/scopeMaps/_repositories_pull`
  assert.equal((await arm.get(path)).status, 404)
})

test('one is made, changed, listed with the others, and deleted', async (t) => {
  const { arm, scopeMaps } = await openScopeMaps(t)
  const path = `${scopeMaps}/MyScopeMap`
  const made = await arm.put(path, { properties: { description: 'Readers', actions: [READ] } })
  assert.equal(made.status, 201)
  const { creationDate, ...rest } = made.body.properties
  assert.ok(!Number.isNaN(Date.parse(creationDate)))
  assert.deepEqual(rest, {
    description: 'Readers',
    type: 'UserDefined',
    provisioningState: 'Succeeded',
    actions: [READ],
  })
  const actions = [READ, 'repositories/team/*/metadata/read']
  const { status, body } = await arm.patch(path, { properties: { actions } })
  assert.equal(status, 200)
  assert.deepEqual(body.properties, { ...made.body.properties, actions })
  assert.equal(namesOf((await arm.get(scopeMaps)).body).at(-1), 'MyScopeMap')
  assert.equal((await arm.delete(path)).status, 200)
  assert.equal((await arm.get(path)).status, 404)
  assert.equal(namesOf((await arm.get(scopeMaps)).body).length, 5)
})

for (const [what, name, properties, message] of [
  ['an action that is none', 'mymap', { actions: ['repositories/foo/pull'] }, /content\/read/],
  ['no actions at all', 'mymap', {}, /actions/],
  ['one action that is no list', 'mymap', { actions: READ }, /actions/],
  ['numbers for actions', 'mymap', { actions: [1] }, /actions/],
  ['null among its actions', 'mymap', { actions: [READ, null] }, /actions/],
  ['a name that is too short', 'map', { actions: [READ] }, /name map is invalid/],
  ['a name with a dot', 'my.map', { actions: [READ] }, /name my\.map is invalid/],
  [
    'a description that is too long',
    'mymap',
    { description: 'x'.repeat(257), actions: [READ] },
    /256/,
  ],
] as const) {
  test(`400: ${what}, and nothing is made`, async (t) => {
    const { arm, scopeMaps } = await openScopeMaps(t)
    const { status, body } = await arm.put(`${scopeMaps}/${name}`, { properties })
    assert.equal(status, 400)
    assert.match(body.error.message, message)
    assert.equal((await arm.get(`${scopeMaps}/${name}`)).status, 404)
  })
}

test('400: a change that breaks the rules leaves it as it was', async (t) => {
  const { arm, scopeMaps } = await openScopeMaps(t)
  await arm.put(`${scopeMaps}/mymap`, { properties: { actions: [READ] } })
  const answer = await arm.patch(`${scopeMaps}/mymap`, { properties: { actions: ['everything'] } })
  assert.equal(answer.status, 400)
  assert.deepEqual((await arm.get(`${scopeMaps}/mymap`)).body.properties.actions, [READ])
})

test('409: one that a token uses stays', async (t) => {
  const { arm, registry, scopeMaps } = await openScopeMaps(t)
  await arm.put(`${scopeMaps}/mymap`, { properties: { actions: [READ] } })
  await arm.put(`${registry}/tokens/mytoken`, {
    properties: { scopeMapId: `${scopeMaps}/MYMAP` },
  })
  const { status, body } = await arm.delete(`${scopeMaps}/mymap`)
  assert.deepEqual([status, body.error.code], [409, 'ScopeMapInUse'])
  assert.match(body.error.message, /in use by the token 'mytoken'/)
  const properties = { scopeMapId: `${scopeMaps}/_repositories_pull` }
  await arm.patch(`${registry}/tokens/mytoken`, { properties })
  assert.equal((await arm.delete(`${scopeMaps}/mymap`)).status, 200)
})

test('the registry goes with all of them, in use or not', async (t) => {
  const { arm, registry, scopeMaps } = await openScopeMaps(t)
  await arm.put(`${scopeMaps}/mymap`, { properties: { actions: [READ] } })
  await arm.put(`${registry}/tokens/mytoken`, { properties: { scopeMapId: `${scopeMaps}/mymap` } })
  assert.equal((await arm.deleteAndWait(registry)).status, 200)
  assert.equal((await arm.get(`${registry}/tokens/mytoken`)).status, 404)
})

test('400: a tier has room for so many, of which the system defines none; usages count them', async (t) => {
  const { arm, registry, scopeMaps } = await openScopeMaps(t)
  for (let made = 0; made < 100; made++) {
    const answer = await arm.put(`${scopeMaps}/map-${made}`, { properties: { actions: [READ] } })
    assert.equal(answer.status, 201)
  }
  const { status, body } = await arm.put(`${scopeMaps}/toomany`, {
    properties: { actions: [READ] },
  })
  assert.deepEqual([status, body.error.code], [400, 'QuotaExceeded'])
  assert.match(body.error.message, /resource type scopeMaps for the registry SKU Basic/)
  const again = await arm.put(`${scopeMaps}/map-1`, { properties: { actions: [] } })
  assert.equal(again.status, 200)
  const usages = await arm.get(`${registry}/listUsages`)
  const usage = usages.body.value.find((each: { name: string }) => each.name === 'ScopeMaps')
  assert.deepEqual([usage.limit, usage.currentValue], [100, 100])
  // A larger tier takes more; with those, the smaller is too small.
  await arm.patch(registry, { sku: { name: 'Standard' } })
  assert.equal((await arm.put(`${scopeMaps}/toomany`, { properties: { actions: [] } })).status, 201)
  const back = await arm.patch(registry, { sku: { name: 'Basic' } })
  assert.deepEqual([back.status, back.body.error.code], [400, 'QuotaExceeded'])
})
