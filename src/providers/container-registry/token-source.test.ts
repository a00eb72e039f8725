import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { openRegistries } from '../../../test/support/registries.ts'
import { provePassword } from '../../registry/access/passwords.ts'
import { createRegistryDirectory } from './registry-directory.ts'

/** A registry with the token `MyToken`, and directories of what the control plane holds. */
async function openDirectory(t: TestContext) {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  const registry = id('myregistry')
  const path = `${registry}/tokens/MyToken`
  const { resources } = arm.plane
  const make = () =>
    createRegistryDirectory({
      resources,
      feed: arm.feed,
      settings: arm.settings,
      unseal: (sealed) => sealed,
    })
  const directory = await make()
  const give = (scopeMap: string) =>
    arm.put(path, { properties: { scopeMapId: `${registry}/scopeMaps/${scopeMap}` } })
  await give('_repositories_pull')
  return {
    arm,
    registry,
    path,
    give,
    facts: () => directory.byId(registry),
    /** The token as the registry plane sees it, in its words. */
    seen: () => directory.byId(registry)?.tokens.get('mytoken'),
    /** The same as seen by a server that has started just now. */
    seenAfterStart: async () => (await make()).byId(registry)?.tokens.get('mytoken'),
    generate: (body: Record<string, unknown> = {}) =>
      arm.post(`${registry}/generateCredentials`, { tokenId: path, ...body }),
  }
}

test('a token is seen once its PUT is answered, and not once its DELETE is', async (t) => {
  const { arm, path, seen } = await openDirectory(t)
  assert.deepEqual(seen(), {
    name: 'MyToken',
    isEnabled: true,
    passwords: [],
    scopes: new Map([['*', ['pull']]]),
  })
  await arm.patch(path, { properties: { status: 'disabled' } })
  assert.equal(seen()?.isEnabled, false)
  await arm.delete(path)
  assert.equal(seen(), undefined)
})

test('passwords are seen as hashes, with their end', async (t) => {
  const { generate, seen, seenAfterStart } = await openDirectory(t)
  const { body } = await generate({ expiry: '2100-01-01T00:00:00Z' })
  const expected = body.passwords.map(({ value }: { value: string }) => ({
    hash: createHash('sha256').update(value).digest(),
    expiresAt: Date.UTC(2100),
  }))
  assert.deepEqual(seen()?.passwords, expected)
  assert.deepEqual(await seenAfterStart(), seen())
})

test('a change of the scope map is seen in every token that has it', async (t) => {
  const { arm, give, registry, seen, seenAfterStart } = await openDirectory(t)
  const map = `${registry}/scopeMaps/mymap`
  await arm.put(map, { properties: { actions: ['repositories/a/content/read'] } })
  await give('MYMAP')
  assert.deepEqual(seen()?.scopes, new Map([['a', ['pull']]]))
  await arm.patch(map, { properties: { actions: ['repositories/a/*/content/write'] } })
  assert.deepEqual(seen()?.scopes, new Map([['a/*', ['push']]]))
  assert.deepEqual(await seenAfterStart(), seen())
  await give('_repositories_push')
  assert.deepEqual(seen()?.scopes, new Map([['*', ['pull', 'push']]]))
  await arm.delete(map)
  assert.deepEqual(await seenAfterStart(), seen())
})

test('a registry that is made again begins without tokens', async (t) => {
  const { arm, registry, seen } = await openDirectory(t)
  await arm.deleteAndWait(registry)
  await arm.put(registry, { location: 'westeurope', sku: { name: 'Premium' } })
  assert.equal(seen(), undefined)
})

test('facts can be sent to another process, and prove a password there', async (t) => {
  const { facts, generate } = await openDirectory(t)
  const { body } = await generate({ name: 'password2' })
  const sent = structuredClone(facts())
  const { value } = body.passwords[0]
  const subject = sent && provePassword(sent, 'mytoken', value, new Date())
  assert.deepEqual([subject?.kind, subject?.username], ['token', 'MyToken'])
})
