import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostProgram, ServerStatus } from '../operator/contract.ts'
import { withoutWaysOut } from '../places/place-environment.ts'

type Environment = Readonly<Record<string, string>>

interface Options {
  /** The principal's name. */
  readonly name: string
  readonly home: HostProgram['home']
  readonly credentials: HostProgram['credentials']
  /** Of whoever called. */
  readonly inherited: Readonly<Record<string, string | undefined>>
}

/** The command that runs az with these words, signing in first where that is needed; see the script. */
export async function azCommand(words: readonly string[]): Promise<readonly string[]> {
  // As text: where the program's files are, a caller through sudo may not be allowed to read.
  return [
    'sh',
    '-c',
    await script('signed-in-az'),
    'causeway',
    await script('az-sign-in'),
    ...words,
  ]
}

const script = (name: string): Promise<string> =>
  readFile(new URL(`${name}.sh`, import.meta.url), 'utf8')

/** What az in a place gets on top of the place's own environment: there the public cloud's names lead to Causeway. */
export const azInPlace = (options: Options): Environment => ({
  ...preferences(options.inherited),
  ...signInOf('az-internet', 'AzureCloud', options),
  CAUSEWAY_CLOUD: '',
})

/**
 * The environment of az on the host. It trusts no certificate but those of Causeway's host, and asks every other host
 * by a proxy that is not there: whatever it is told to do, neither a token nor a name leaves the machine.
 */
export function azOnHost(
  options: Options & Pick<ServerStatus, 'urls' | 'registryDomain'> & { readonly ca: string },
): Environment {
  const { urls, registryDomain, ca, inherited } = options
  const own = ['localhost', '127.0.0.1', new URL(urls.control).hostname].join(',')
  return {
    ...withoutWaysOut(inherited),
    ...preferences(inherited),
    ...signInOf('az-host', 'Causeway', options, urls.control),
    CAUSEWAY_CLOUD: JSON.stringify(cloudOf(urls, registryDomain)),
    REQUESTS_CA_BUNDLE: ca,
    SSL_CERT_FILE: ca,
    // Some read only one case of these.
    ...Object.fromEntries(
      ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [
        [name, NOWHERE],
        [name.toUpperCase(), NOWHERE],
      ]),
    ),
    no_proxy: own,
    NO_PROXY: own,
    AZURE_CORE_COLLECT_TELEMETRY: 'no',
    AZURE_CORE_SURVEY_MESSAGE: 'no',
  }
}

// The port of a service that nobody runs any more, on which only root could listen.
const NOWHERE = 'http://127.0.0.1:9'

function signInOf(
  folder: string,
  cloud: string,
  { name, home, credentials }: Options,
  control = '',
): Environment {
  const { tenantId, clientId, clientSecret, subscriptionId } = credentials
  const basis = [control, tenantId, subscriptionId, clientId, clientSecret]
  return {
    AZURE_CONFIG_DIR: join(home, folder),
    AZURE_EXTENSION_DIR: join(home, 'az-extensions'),
    // Over whatever `az cloud set` says: no other cloud is ever asked.
    AZURE_CLOUD_NAME: cloud,
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
    AZURE_SUBSCRIPTION_ID: subscriptionId,
    CAUSEWAY_PRINCIPAL: name,
    CAUSEWAY_SIGN_IN: createHash('sha256').update(JSON.stringify(basis)).digest('hex'),
  }
}

// How az prints and what it takes for granted; neither leads anywhere.
const PREFERENCE = /^AZURE_(CORE|DEFAULTS)_/

const preferences = (inherited: Options['inherited']): Environment =>
  Object.fromEntries(
    Object.entries(inherited).flatMap(([name, value]) =>
      value !== undefined && PREFERENCE.test(name) ? [[name, value]] : [],
    ),
  )

/** The cloud as `az cloud register` takes it: everything at the control plane's own origin. */
function cloudOf({ control, authority }: ServerStatus['urls'], registryDomain: string): object {
  return {
    endpoints: {
      management: control,
      resourceManager: control,
      sqlManagement: control,
      gallery: control,
      vmImageAliasDoc: `${control}aliases.json`,
      activeDirectory: authority,
      activeDirectoryResourceId: control,
      activeDirectoryGraphResourceId: control,
      microsoftGraphResourceId: control,
      logAnalyticsResourceId: control,
    },
    suffixes: {
      acrLoginServerEndpoint: `.${registryDomain}`,
      storageEndpoint: 'core.windows.net',
      keyvaultDns: '.vault.azure.net',
    },
  }
}
