import { env } from 'node:process'
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry'
import { DefaultAzureCredential } from '@azure/identity'

/** What the program printed: what it saw of a cache rule from its beginning to its end. */
export interface SeenOfCache {
  readonly health: string | undefined
  readonly identity: string | undefined
  readonly created: string | undefined
  readonly listed: readonly (string | undefined)[]
  readonly withCredentials: boolean
  readonly left: readonly (string | undefined)[]
}

/** A program as a user writes it: a credential set and a cache rule by the SDK, made, shown, changed and removed. */
const [group, registry] = ['caching', env.REGISTRY ?? '']
const client = new ContainerRegistryManagementClient(
  new DefaultAzureCredential(),
  env.AZURE_SUBSCRIPTION_ID ?? '',
)
const { cacheRules, credentialSets } = client

const set = await credentialSets.create(group, registry, 'sdk-set', {
  identity: { type: 'SystemAssigned' },
  loginServer: env.SOURCE ?? '',
  authCredentials: [
    {
      name: 'Credential1',
      usernameSecretIdentifier: 'https://vault.vault.azure.net/secrets/username',
      passwordSecretIdentifier: 'https://vault.vault.azure.net/secrets/password',
    },
  ],
})
const created = await cacheRules.create(group, registry, 'sdk-rule', {
  sourceRepository: `${env.SOURCE}/sdk/app`,
  targetRepository: 'sdk/app',
})
const listed: (string | undefined)[] = []
for await (const { name } of cacheRules.list(group, registry)) listed.push(name)
await cacheRules.update(group, registry, 'sdk-rule', {
  ...(set.id !== undefined && { credentialSetResourceId: set.id }),
})
const shown = await cacheRules.get(group, registry, 'sdk-rule')
await cacheRules.delete(group, registry, 'sdk-rule')
await credentialSets.delete(group, registry, 'sdk-set')
const left: (string | undefined)[] = []
for await (const { name } of credentialSets.list(group, registry)) left.push(name)

const seen: SeenOfCache = {
  health: set.authCredentials?.[0]?.credentialHealth?.status,
  identity: set.identity?.type,
  created: created.provisioningState,
  listed,
  withCredentials: shown.credentialSetResourceId === set.id,
  left,
}
process.stdout.write(JSON.stringify(seen))
