import type { TestContext } from 'node:test'
import { openRegistries } from './registries.ts'

/** A Basic registry with one token, as far as it is made: `make` makes or replaces it, `generate` its passwords. */
export async function openTokens(t: TestContext) {
  const registries = await openRegistries(t)
  const { arm, id, createRegistry } = registries
  await createRegistry('myregistry', {}, 'Basic')
  const registry = id('myregistry')
  const pull = `${registry}/scopeMaps/_repositories_pull`
  const path = `${registry}/tokens/mytoken`
  return {
    ...registries,
    registry,
    pull,
    path,
    make: (properties: Record<string, unknown> = {}) =>
      arm.put(path, { properties: { scopeMapId: pull, ...properties } }),
    generate: (body: Record<string, unknown> = {}, at = registry) =>
      arm.post(`${at}/generateCredentials`, { tokenId: path, ...body }),
  }
}
