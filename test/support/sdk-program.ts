import { readFile } from 'node:fs/promises'
import { argv, env } from 'node:process'
import { ContainerRegistryManagementClient } from '@azure/arm-containerregistry'
import { PrivateDnsManagementClient } from '@azure/arm-privatedns'
import { ContainerRegistryClient, ContainerRegistryContentClient } from '@azure/container-registry'
import {
  AzureCliCredential,
  ClientAssertionCredential,
  ClientCertificateCredential,
  DefaultAzureCredential,
  EnvironmentCredential,
  ManagedIdentityCredential,
  type TokenCredential,
  WorkloadIdentityCredential,
} from '@azure/identity'
import { decodeJwt } from 'jose'

/** What the program printed: whom it was taken for, and what it saw. */
export interface Seen {
  /** The application id that its token is about. */
  readonly appId: string
  readonly registries: readonly string[]
  readonly zones: readonly string[]
  readonly repositories: readonly string[]
  /** Of the manifest that it pulled, whose digest the SDK has checked. */
  readonly mediaType: string
}

/** A program as a user writes it: the SDK's credential of a kind, with `value` where the kind needs one. */
const [, , kind = '', value = ''] = argv
const scope = 'https://management.azure.com/.default'
const [tenantId, clientId] = [env.TENANT ?? '', env.CLIENT ?? '']

const CREDENTIALS: Readonly<Record<string, () => TokenCredential>> = {
  default: () => new DefaultAzureCredential(),
  environment: () => new EnvironmentCredential(),
  managed: () => new ManagedIdentityCredential(),
  'managed by client id': () => new ManagedIdentityCredential({ clientId: value }),
  'managed by object id': () => new ManagedIdentityCredential({ objectId: value }),
  'managed by resource id': () => new ManagedIdentityCredential({ resourceId: value }),
  certificate: () =>
    new ClientCertificateCredential(tenantId, clientId, { certificatePath: value }),
  assertion: () => new ClientAssertionCredential(tenantId, clientId, () => readFile(value, 'utf8')),
  workload: () => new WorkloadIdentityCredential({ tenantId, clientId, tokenFilePath: value }),
  cli: () => new AzureCliCredential(),
}

const credential = CREDENTIALS[kind]?.()
if (!credential) throw new Error(`there is no credential '${kind}'`)

async function all<T>(items: AsyncIterable<T>, show: (item: T) => string | undefined) {
  const shown: string[] = []
  for await (const item of items) shown.push(show(item) ?? '')
  return shown
}

async function look(signedIn: TokenCredential): Promise<Seen> {
  const token = await signedIn.getToken(scope)
  const subscription = env.AZURE_SUBSCRIPTION_ID ?? ''
  const registries = new ContainerRegistryManagementClient(signedIn, subscription).registries
  const zones = new PrivateDnsManagementClient(signedIn, subscription).privateZones
  const address = `https://${env.REGISTRY}.azurecr.io`
  const options = { audience: 'https://containerregistry.azure.net' as const }
  const registry = new ContainerRegistryClient(address, signedIn, options)
  const images = new ContainerRegistryContentClient(address, 'hello-world', signedIn, options)
  return {
    appId: String(decodeJwt(token?.token ?? '').appid),
    registries: await all(registries.list(), ({ name }) => name),
    zones: await all(zones.list(), ({ name }) => name),
    repositories: await all(registry.listRepositoryNames(), (name) => name),
    mediaType: (await images.getManifest('v1')).mediaType,
  }
}

process.stdout.write(JSON.stringify(await look(credential)))
