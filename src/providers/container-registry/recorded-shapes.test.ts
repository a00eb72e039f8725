import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { needs } from '../../../test/support/needs.ts'
import { openRegistries } from '../../../test/support/registries.ts'
import { sharedData } from '../../../test/support/shared-data.ts'

/** One request and its answer, as the real service gave it. */
interface Exchange {
  readonly method: string
  readonly url: string
  readonly requestBody: Readonly<Record<string, unknown>> | null
  readonly status: number
  readonly responseBody: Readonly<Record<string, unknown>> | null
}

function recorded(file: string, isWanted: (exchange: Exchange) => boolean): Exchange {
  const text = readFileSync(sharedData(`azure/recorded/${file}`), 'utf8')
  const { interactions } = JSON.parse(text) as { interactions: Exchange[] }
  const exchange = interactions.find(isWanted)
  if (!exchange) throw new Error(`${file} has no such exchange`)
  return exchange
}

const pathOf = ({ url }: Exchange) => new URL(url).pathname

const isShown = (exchange: Exchange, path: RegExp) =>
  exchange.method === 'GET' && exchange.status === 200 && path.test(pathOf(exchange))

/** The paths of all members, in the order in which they come; of a list's items those of the first. */
function membersOf(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return value.length > 0 ? membersOf(value[0], `${path}[]`) : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [
    `${path}.${name}`,
    ...membersOf(inner, `${path}.${name}`),
  ])
}

const sorted = (members: readonly string[]) => members.toSorted()

describe(
  'answers have the members that the service was recorded with',
  needs('shared data'),
  () => {
    for (const [file, what] of [
      [
        'azure-cli-2020-10/acr/test_acr_with_public_network_access.json',
        'Premium, 2019-12-01-preview',
      ],
      ['azure-cli-2021-07/acr/test_acr_with_private_endpoint.json', 'Premium, 2020-11-01-preview'],
      ['azure-cli-2021-07/acr/test_acr_create_webhook.json', 'Standard, 2020-11-01-preview'],
      ['azure-cli-2023-07/acr/test_acr_create_webhook.json', 'Standard, 2022-02-01-preview'],
      [
        'azure-cli-2023-07/acr/test_acr_with_public_network_access_disabled.json',
        'Premium, 2022-02-01-preview',
      ],
    ] as const) {
      test(`a registry: ${what}`, async (t) => {
        const { arm, id } = await openRegistries(t)
        const create = recorded(
          file,
          ({ method, url }) => method === 'PUT' && /registries\/\w+\?/.test(url),
        )
        const show = recorded(file, (it) => isShown(it, /registries\/\w+$/))
        const own = `${id('myregistry')}?${new URL(show.url).searchParams}`
        assert.equal((await arm.put(own, create.requestBody)).status, 201)
        const { body } = await arm.get(own)
        assert.deepEqual(sorted(membersOf(body)), sorted(membersOf(show.responseBody)))
      })
    }

    for (const [year, file] of [
      [2020, 'azure-cli-2020-10/acr/test_acr_create_replication.json'],
      [2023, 'azure-cli-2023-07/acr/test_acr_create_replication.json'],
    ] as const) {
      test(`replications and their list, ${year}`, async (t) => {
        const list = recorded(
          file,
          (it) => isShown(it, /replications$/) && membersOf(it.responseBody).length > 1,
        )
        const body = await listAfter(t, 'replications', list, async ({ arm, id }) => {
          await arm.put(`${id('myregistry')}/replications/eastus`, { location: 'eastus' })
        })
        assert.deepEqual(sorted(membersOf(body)), sorted(membersOf(list.responseBody)))
        assert.equal(body.value.length, (list.responseBody as { value: unknown[] }).value.length)
      })
    }

    for (const year of [2020, 2021, 2023]) {
      const month = year === 2020 ? '10' : '07'
      const file = `azure-cli-${year}-${month}/acr/test_acr_create_webhook.json`

      test(`webhooks, their list, configuration and events, ${year}`, async (t) => {
        const registries = await openRegistries(t)
        const { arm, id, createRegistry } = registries
        await createRegistry('myregistry', {}, 'Standard')
        const versionOf = ({ url }: Exchange) => new URL(url).searchParams
        const path = `${id('myregistry')}/webhooks`
        const create = recorded(file, (it) => it.method === 'PUT' && /webhooks/.test(it.url))
        const update = recorded(file, (it) => it.method === 'PATCH' && /webhooks/.test(it.url))
        const list = recorded(file, (it) => isShown(it, /webhooks$/))
        const config = recorded(file, (it) => /getCallbackConfig/.test(it.url))
        const own = (at: string, of: Exchange) => `${path}${at}?${versionOf(of)}`
        const created = await arm.put(own('/cliregwebhook', create), {
          ...create.requestBody,
          location: 'westeurope',
        })
        assert.deepEqual(sorted(membersOf(created.body)), sorted(membersOf(create.responseBody)))
        const updated = await arm.patch(own('/cliregwebhook', update), update.requestBody)
        assert.equal(updated.status, update.status)
        assert.deepEqual(sorted(membersOf(updated.body)), sorted(membersOf(update.responseBody)))
        const listed = await arm.get(own('', list))
        assert.deepEqual(sorted(membersOf(listed.body)), sorted(membersOf(list.responseBody)))
        const { signingSecret: _, ...shown } = (
          await arm.post(own('/cliregwebhook/getCallbackConfig', config))
        ).body
        assert.deepEqual(shown, config.responseBody)
      })
    }

    test('connections that wait', async (t) => {
      const list = recorded('azure-cli-2021-07/acr/test_acr_with_private_endpoint.json', (it) =>
        isShown(it, /privateEndpointConnections$/),
      )
      const body = await listAfter(t, 'privateEndpointConnections', list, async (registries) => {
        await registries.createEndpoint('pe1', registries.id('myregistry'), { isManual: true })
      })
      assert.deepEqual(sorted(membersOf(body)), sorted(membersOf(list.responseBody)))
    })

    test('private link resources', async (t) => {
      const list = recorded('azure-cli-2023-07/network/test_private_link_resource_acr.json', (it) =>
        isShown(it, /privateLinkResources$/),
      )
      const body = await listAfter(t, 'privateLinkResources', list, async () => {})
      assert.deepEqual(membersOf(body), membersOf(list.responseBody))
    })

    test('a scope map, a token and its passwords, 2023', async (t) => {
      const file = 'azure-cli-2023-07/acr/test_repository_token_create.json'
      const made = (path: RegExp) =>
        recorded(file, ({ method, url }) => method !== 'GET' && path.test(url))
      const [scopeMap, generated] = [made(/scopeMaps/), made(/generateCredentials/)]
      const token = recorded(file, (it) => isShown(it, /tokens\/[\w-]+$/))
      const { arm, id, createRegistry } = await openRegistries(t)
      await createRegistry('myregistry')
      const at = (path: string, { url }: Exchange) =>
        `${id('myregistry')}/${path}?${new URL(url).searchParams}`
      const ownScopeMap = await arm.put(at('scopeMaps/acr-map', scopeMap), scopeMap.requestBody)
      const scopeMapId = ownScopeMap.body.id
      await arm.put(at('tokens/acr-token', token), {
        properties: { scopeMapId, status: 'enabled' },
      })
      const ownToken = await arm.get(at('tokens/acr-token', token))
      const ownPasswords = await arm.post(at('generateCredentials', generated), {
        tokenId: ownToken.body.id,
      })
      for (const [own, theirs] of [
        [ownScopeMap, scopeMap],
        [ownToken, token],
        [ownPasswords, generated],
      ] as const) {
        assert.deepEqual(membersOf(own.body), membersOf(theirs.responseBody))
      }
    })

    test('a credential set and a cache rule, as az makes and changes them', async (t) => {
      const file = 'azure-cli-2023-07/acr/test_acr_cache.json'
      const { arm, id, createRegistry } = await openRegistries(t)
      await createRegistry('myregistry', {}, 'Standard')
      // The ids in the recorded bodies are those of another registry.
      const own = (value: unknown) =>
        JSON.parse(
          JSON.stringify(value).replace(/"[^"]*registries\/\w+\//g, `"${id('myregistry')}/`),
        )
      for (const [collection, update] of [
        ['credentialSets', 'PATCH'],
        ['cacheRules', 'PATCH'],
      ] as const) {
        const path = `${id('myregistry')}/${collection}/test1?api-version=2023-01-01-preview`
        const isOf = (it: Exchange) => pathOf(it).endsWith(`${collection}/test1`)
        const put = recorded(file, (it) => it.method === 'PUT' && isOf(it))
        const patch = recorded(file, (it) => it.method === update && isOf(it))
        const show = recorded(file, (it) => it.method === 'GET' && isOf(it))
        assert.equal((await arm.put(path, own(put.requestBody))).status, 201)
        const { body } = await arm.get(path)
        assert.deepEqual(sorted(membersOf(body)), sorted(membersOf(show.responseBody)))
        const patched = await arm.patch(path, own(patch.requestBody))
        assert.equal(patched.status, 200)
        assert.deepEqual(sorted(membersOf(patched.body)), sorted(membersOf(patch.responseBody)))
      }
    })

    test('usages begin as recorded', async (t) => {
      const list = recorded('azure-cli-2023-07/acr/test_acr_create_webhook.json', (it) =>
        isShown(it, /listUsages$/),
      )
      const { arm, id, createRegistry } = await openRegistries(t)
      await createRegistry('myregistry', {}, 'Standard')
      const { body } = await arm.get(`${id('myregistry')}/listUsages`)
      const limits = (usages: unknown) =>
        (usages as { value: { name: string; limit: number }[] }).value.map((it) => [
          it.name,
          it.limit,
        ])
      assert.deepEqual(limits(body), limits(list.responseBody))
    })
  },
)

async function listAfter(
  t: TestContext,
  collection: string,
  { url }: Exchange,
  prepare: (registries: Awaited<ReturnType<typeof openRegistries>>) => Promise<void>,
) {
  const registries = await openRegistries(t)
  await registries.createRegistry('myregistry')
  await prepare(registries)
  const path = `${registries.id('myregistry')}/${collection}?${new URL(url).searchParams}`
  return (await registries.arm.get(path)).body
}
