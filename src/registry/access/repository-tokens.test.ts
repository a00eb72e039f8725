import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import type { TokenFacts } from '../registry-directory.ts'
import { basic, pushImage, startRegistry } from '../testing/registry-fixture.ts'
import { bearerOf, giveToken, pullStatus } from '../testing/token-fixture.ts'

const accessOf = (authorization: string) => decodeJwt(authorization.replace('Bearer ', '')).access

test('of what is asked for, a token gets what its scope map allows, and never the catalog', async (t) => {
  const registry = await startRegistry(t)
  const scopes = new Map([
    ['app', ['pull', 'push']],
    ['samples/*', ['pull', 'metadata_read']],
    ['samples/gone', ['delete']],
  ])
  giveToken(registry, 'ci-puller', { scopes })
  const authorization = await bearerOf(
    registry,
    ['ci-puller', 'one'],
    'repository:app:*',
    'repository:samples/gone:pull,push,delete,metadata_read',
    'repository:secret:pull',
    'registry:catalog:*',
  )
  assert.deepEqual(accessOf(authorization), [
    { type: 'repository', name: 'app', actions: ['pull', 'push'] },
    { type: 'repository', name: 'samples/gone', actions: ['pull', 'delete', 'metadata_read'] },
  ])
})

test('401: a token that reads everything does not list the catalog', async (t) => {
  const registry = await startRegistry(t)
  giveToken(registry, 'ci-puller', { scopes: new Map([['*', ['pull', 'metadata_read']]]) })
  const authorization = basic('ci-puller', 'one')
  for (const path of ['/v2/_catalog', '/acr/v1/_catalog']) {
    assert.equal((await registry.send('GET', path, { authorization })).status, 401, path)
  }
  assert.equal((await registry.send('GET', '/v2/', { authorization })).status, 200)
})

for (const [action, allowed] of [
  ['pull', ['manifest', 'tags']],
  ['push', ['upload']],
  ['delete', ['delete']],
  ['metadata_read', ['tags', 'metadata']],
  ['metadata_write', []],
] as const) {
  test(`with ${action} alone, a token may ${allowed.join(', ') || 'do none of these'}`, async (t) => {
    const registry = await startRegistry(t)
    await pushImage(registry, 'app', 'v1')
    giveToken(registry, 'ci-puller', { scopes: new Map([['app', [action]]]) })
    const authorization = basic('ci-puller', 'one')
    const done: string[] = []
    for (const [what, method, path] of [
      ['manifest', 'GET', '/v2/app/manifests/v1'],
      ['tags', 'GET', '/v2/app/tags/list'],
      ['metadata', 'GET', '/acr/v1/app'],
      ['upload', 'POST', '/v2/app/blobs/uploads/'],
      ['delete', 'DELETE', '/v2/app/manifests/v1'],
    ] as const) {
      const { status } = await registry.send(method, path, { authorization })
      if (status !== 401) done.push(what)
    }
    assert.deepEqual(done, allowed)
  })
}

test('401: a repository outside the scope map looks the same whether it is there or not', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'secret', 'v1')
  giveToken(registry, 'ci-puller')
  const authorization = basic('ci-puller', 'one')
  const [there, missing] = await Promise.all(
    ['secret', 'absent'].map((name) =>
      registry.send('GET', `/v2/${name}/manifests/v1`, { authorization }),
    ),
  )
  const comparable = (answer: typeof there, name: string) => [
    answer?.status,
    answer?.body.toString().replaceAll(name, '…'),
  ]
  assert.deepEqual(comparable(there, 'secret'), comparable(missing, 'absent'))
  assert.equal(there?.status, 401)
})

test('a mount needs to read the source: where it may not, the client is told to upload', async (t) => {
  const registry = await startRegistry(t)
  const { layer } = await pushImage(registry, 'secret', 'v1')
  const mount = async (scopes: TokenFacts['scopes']) => {
    giveToken(registry, 'ci-puller', { scopes })
    const asked = ['repository:app:pull,push', 'repository:secret:pull']
    const bearing = await bearerOf(registry, ['ci-puller', 'one'], ...asked)
    const statuses: number[] = []
    for (const authorization of [bearing, basic('ci-puller', 'one')]) {
      const path = `/v2/app/blobs/uploads/?mount=${layer}&from=secret`
      statuses.push((await registry.send('POST', path, { authorization })).status)
    }
    return statuses
  }
  const app = ['pull', 'push']
  const scopesWith = (secret: readonly string[]) =>
    new Map<string, readonly string[]>(Object.entries({ app, secret }))
  assert.deepEqual(await mount(scopesWith([])), [202, 202])
  assert.deepEqual(await mount(scopesWith(['metadata_read', 'push'])), [202, 202])
  assert.deepEqual(await mount(scopesWith(['pull'])), [201, 201])
})

test('401: a scope map allows less since the token was got, and more only with another one', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  await pushImage(registry, 'other', 'v1')
  giveToken(registry, 'ci-puller')
  const authorization = await bearerOf(registry, ['ci-puller', 'one'], 'repository:app:pull')
  giveToken(registry, 'ci-puller', { scopes: new Map([['other', ['pull']]]) })
  assert.equal(await pullStatus(registry, authorization), 401)
  assert.equal(await pullStatus(registry, authorization, 'other'), 401)
  const again = await bearerOf(registry, ['ci-puller', 'one'], 'repository:other:pull')
  assert.equal(await pullStatus(registry, again, 'other'), 200)
})
