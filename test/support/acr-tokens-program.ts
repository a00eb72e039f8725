import { argv, env } from 'node:process'
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry'
import { DefaultAzureCredential } from '@azure/identity'

/**
 * Makes a scope map and a token of a registry by Azure's SDK, and prints what it saw; told `delete`, deletes them and
 * prints whether they are still listed.
 */
const [, , group = '', registry = '', task] = argv
const NAME = 'sdk-token'
const EXPIRY = new Date('2100-01-01T00:00:00Z')

const subscription = env.AZURE_SUBSCRIPTION_ID ?? ''
const client = new ContainerRegistryManagementClient(new DefaultAzureCredential(), subscription)
const { registries, scopeMaps, tokens } = client

async function areListed(): Promise<readonly boolean[]> {
  const listed = [false, false]
  for await (const { name } of scopeMaps.list(group, registry)) if (name === NAME) listed[0] = true
  for await (const { name } of tokens.list(group, registry)) if (name === NAME) listed[1] = true
  return listed
}

async function make() {
  const actions = ['repositories/hello-world/content/read']
  const scopeMap = await scopeMaps.create(group, registry, NAME, { actions })
  const token = await tokens.create(group, registry, NAME, {
    ...(scopeMap.id && { scopeMapId: scopeMap.id }),
  })
  const parameters = { ...(token.id && { tokenId: token.id }), expiry: EXPIRY }
  await registries.generateCredentials(group, registry, parameters)
  const generated = await registries.generateCredentials(group, registry, {
    ...parameters,
    name: 'password2',
  })
  const passwords = generated.passwords ?? []
  const wider = await scopeMaps.update(group, registry, NAME, {
    actions: [...actions, 'repositories/*/metadata/read'],
  })
  const narrowed = await tokens.update(group, registry, NAME, {
    credentials: { passwords: [{ name: 'password2' }] },
  })
  return {
    login: `${generated.username}:${passwords[0]?.value}`,
    made: [scopeMap.typePropertiesType, token.status, token.provisioningState],
    listed: await areListed(),
    passwords: passwords.map(({ name, expiry }) => [name, expiry?.toISOString()]),
    changed: [wider.actions, narrowed.credentials?.passwords?.length],
  }
}

async function remove(): Promise<readonly boolean[]> {
  await tokens.delete(group, registry, NAME)
  await scopeMaps.delete(group, registry, NAME)
  return areListed()
}

process.stdout.write(JSON.stringify(await (task === 'delete' ? remove() : make())))
