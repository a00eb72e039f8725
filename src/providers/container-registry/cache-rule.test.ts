import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'

type Options = Parameters<typeof openRegistries>[1]

async function openCaching(t: Parameters<typeof openRegistries>[0], options: Options = {}) {
  const registries = await openRegistries(t, options)
  const { arm, id, createRegistry } = registries
  await createRegistry('caching', {}, 'Basic')
  const ruleId = (name: string) => `${id('caching')}/cacheRules/${name}`
  const setId = (name: string, registry = 'caching') => `${id(registry)}/credentialSets/${name}`
  const put = (name: string, source: string, target: string, credentialSetResourceId?: string) =>
    arm.put(ruleId(name), {
      properties: {
        sourceRepository: source,
        targetRepository: target,
        ...(credentialSetResourceId && { credentialSetResourceId }),
      },
    })
  const putSet = (path: string, loginServer: string) =>
    arm.put(path, {
      identity: { type: 'SystemAssigned' },
      properties: {
        loginServer,
        authCredentials: [
          {
            name: 'Credential1',
            usernameSecretIdentifier: 'https://vault.vault.azure.net/secrets/username',
            passwordSecretIdentifier: 'https://vault.vault.azure.net/secrets/password',
          },
        ],
      },
    })
  return { ...registries, ruleId, setId, put, putSet }
}

test('a rule is made in every tier, shown and removed', async (t) => {
  const { arm, ruleId, put } = await openCaching(t)
  const { status, body } = await put('rule1', 'docker.io/library/ubuntu', 'ubuntu')
  assert.equal(status, 201)
  const { creationDate, ...rest } = body.properties
  assert.ok(Date.parse(creationDate) > 0)
  assert.deepEqual(rest, {
    sourceRepository: 'docker.io/library/ubuntu',
    targetRepository: 'ubuntu',
    provisioningState: 'Succeeded',
  })
  assert.deepEqual((await arm.get(ruleId('rule1'))).body, body)
  assert.equal((await arm.delete(ruleId('rule1'))).status, 200)
  assert.equal((await arm.get(ruleId('rule1'))).status, 404)
})

test('a credential set is put into a rule and taken out again, as az does it', async (t) => {
  const { arm, ruleId, setId, put, putSet } = await openCaching(t)
  await putSet(setId('hubset'), 'docker.io')
  await put('rule1', 'docker.io/library/ubuntu', 'ubuntu')
  const patch = (value: unknown) =>
    arm.patch(ruleId('rule1'), { properties: { credentialSetResourceId: value } })
  const { properties } = (await patch(setId('hubset'))).body
  assert.equal(properties.credentialSetResourceId, setId('hubset'))
  assert.equal(properties.sourceRepository, 'docker.io/library/ubuntu')
  const removed = await patch(null)
  assert.equal(removed.status, 200)
  assert.ok(!('credentialSetResourceId' in removed.body.properties))
})

for (const [what, source, target] of [
  ['one repository', 'docker.io/library/ubuntu', 'ubuntu'],
  ['a namespace', 'docker.io/library/*', 'hub/*'],
  ['all of a registry', 'mcr.microsoft.com/*', '*'],
  ['all of a registry under a name', 'registry.k8s.io/*', 'k8s/*'],
  ['a registry on a port', 'registry.example.com:5000/app', 'app'],
] as const) {
  test(`a rule may be for ${what}`, async (t) => {
    const { put } = await openCaching(t)
    assert.equal((await put('rule1', source, target)).status, 201)
  })
}

for (const [what, source, target, code] of [
  ['a source without a host', 'ubuntu', 'ubuntu', 'InvalidRepositoryName'],
  ['a source that is an address', 'https://docker.io/a', 'ubuntu', 'InvalidRepositoryName'],
  ['a source with a tag', 'docker.io/library/python:3.11', 'python', 'InvalidRepositoryName'],
  ['a source in upper case', 'docker.io/Library/ubuntu', 'ubuntu', 'InvalidRepositoryName'],
  ['a target in upper case', 'docker.io/library/ubuntu', 'Ubuntu', 'InvalidRepositoryName'],
  ['a wildcard in the middle', 'docker.io/*/ubuntu', 'hub/*/ubuntu', 'InvalidRepositoryName'],
  ['a wildcard on one side', 'docker.io/library/*', 'hub', 'InvalidRequestContent'],
  ['a wildcard on the other side', 'docker.io/library/a', 'hub/*', 'InvalidRequestContent'],
  ['an own registry', 'other.azurecr.io/app', 'app', 'InvalidRequestContent'],
] as const) {
  test(`400: ${what} makes no rule`, async (t) => {
    const { arm, ruleId, put } = await openCaching(t)
    const { status, body } = await put('rule1', source, target)
    assert.deepEqual([status, body.error.code], [400, code])
    assert.equal((await arm.get(ruleId('rule1'))).status, 404)
  })
}

for (const [first, second, status] of [
  ['hub/nginx', 'hub/nginx', 409],
  ['hub/*', 'hub/*', 409],
  ['*', 'hub/*', 409],
  ['hub/library/*', 'hub/*', 409],
  ['hub/*', 'hubble/*', 201],
  ['hub/*', 'hub/nginx', 201],
  ['hub/nginx', '*', 201],
] as const) {
  test(`${status}: a rule for ${second} beside one for ${first}`, async (t) => {
    const { put } = await openCaching(t)
    const sourceOf = (target: string) => `quay.io/${target.endsWith('*') ? 'a/*' : 'a'}`
    assert.equal((await put('rule1', sourceOf(first), first)).status, 201)
    const answer = await put('rule2', sourceOf(second), second)
    assert.equal(answer.status, status)
    if (status === 409) assert.match(answer.body.error.message, /of the cache rule 'rule1'/)
  })
}

test('400: a rule for what the registry has already', async (t) => {
  const { put } = await openCaching(t, { existing: ['hub/*', 'ubuntu'] })
  const one = await put('rule1', 'docker.io/library/*', 'hub/*')
  assert.deepEqual(
    [one.status, one.body.error.code],
    [400, 'TargetRepositoryPrefixMatchesExistingRegistries'],
  )
  const other = await put('rule1', 'docker.io/library/ubuntu', 'ubuntu')
  assert.deepEqual([other.status, other.body.error.code], [400, 'TargetRepositoryAlreadyExists'])
})

test('409: the repositories of a rule cannot be changed', async (t) => {
  const { put } = await openCaching(t)
  await put('rule1', 'docker.io/library/ubuntu', 'ubuntu')
  for (const [source, target] of [
    ['docker.io/library/debian', 'ubuntu'],
    ['docker.io/library/ubuntu', 'debian'],
  ] as const) {
    const { status, body } = await put('rule1', source, target)
    assert.deepEqual([status, body.error.code], [409, 'PropertyChangeNotAllowed'])
  }
})

test('400: credentials for another registry, of another registry, or none', async (t) => {
  const { setId, put, putSet, createRegistry, id } = await openCaching(t)
  await createRegistry('other1')
  await putSet(setId('quayset'), 'quay.io')
  await putSet(setId('hubset', 'other1'), 'docker.io')
  for (const set of [
    setId('quayset'),
    setId('hubset', 'other1'),
    setId('absent'),
    id('caching'),
    'nothing',
  ]) {
    const { status, body } = await put('rule1', 'docker.io/library/ubuntu', 'ubuntu', set)
    assert.deepEqual(
      [status, body.error.target],
      [400, 'properties.credentialSetResourceId'],
      JSON.stringify(body),
    )
  }
})

test('409: a credential set stays as long as a rule uses it', async (t) => {
  const { arm, ruleId, setId, put, putSet } = await openCaching(t)
  await putSet(setId('hubset'), 'docker.io')
  await put('rule1', 'docker.io/library/ubuntu', 'ubuntu', setId('hubset'))
  const { status, body } = await arm.delete(setId('hubset'))
  assert.deepEqual([status, body.error.code], [409, 'CredentialSetInUse'])
  await arm.delete(ruleId('rule1'))
  assert.equal((await arm.delete(setId('hubset'))).status, 200)
})

test('400: a registry has a thousand rules at most', async (t) => {
  const { arm, ruleId, put } = await openCaching(t)
  await put('rule-0', 'docker.io/library/ubuntu', 'ubuntu-0')
  const { kysely } = arm.database
  const first = await kysely
    .selectFrom('resources')
    .selectAll()
    .where('name', '=', 'rule-0')
    .executeTakeFirstOrThrow()
  const others = Array.from({ length: 999 }, (_, n) => ({
    ...first,
    key: `${first.key}-${n}`,
    id: `${first.id}-${n}`,
    name: `rule-0-${n}`,
    properties: first.properties.replace('ubuntu-0', `ubuntu-0-${n}`),
  }))
  for (let start = 0; start < others.length; start += 100) {
    await kysely
      .insertInto('resources')
      .values(others.slice(start, start + 100))
      .execute()
  }
  const { status, body } = await put('rule-1', 'docker.io/library/ubuntu', 'ubuntu-1')
  assert.deepEqual([status, body.error.code], [400, 'QuotaExceeded'])
  assert.equal((await arm.delete(ruleId('rule-0-5'))).status, 200)
  assert.equal((await put('rule-1', 'docker.io/library/ubuntu', 'ubuntu-1')).status, 201)
})

for (const name of ['four', 'a'.repeat(51), 'with_underscore']) {
  test(`400: a rule cannot be called ${name.slice(0, 20)}`, async (t) => {
    const { put } = await openCaching(t)
    const { status, body } = await put(name, 'docker.io/library/ubuntu', 'ubuntu')
    assert.deepEqual([status, body.error.code], [400, 'InvalidResourceName'])
  })
}
