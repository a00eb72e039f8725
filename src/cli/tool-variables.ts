import type { ServerStatus } from '../operator/contract.ts'

/** Variables to set, and with null to unset. */
export type ToolVariables = Readonly<Record<string, string | null>>

// Somebody's real credentials, which a tool would take before ours.
const OTHER_CREDENTIALS = [
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_CLIENT_CERTIFICATE_PASSWORD',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_USERNAME',
  'AZURE_PASSWORD',
  'ARM_CLIENT_ID',
  'ARM_CLIENT_ID_FILE_PATH',
  'ARM_CLIENT_SECRET',
  'ARM_CLIENT_SECRET_FILE_PATH',
  'ARM_CLIENT_CERTIFICATE',
  'ARM_CLIENT_CERTIFICATE_PATH',
  'ARM_OIDC_TOKEN',
  'ARM_OIDC_TOKEN_FILE_PATH',
  'ARM_USE_OIDC',
  'ARM_USE_MSI',
]

/**
 * What Azure's SDKs and Terraform on the host read to work with Causeway, and no other cloud: without a principal they
 * find no credentials at all, and none of the user's own.
 */
export function toolVariables(options: {
  readonly status: Pick<
    ServerStatus,
    'dataFolder' | 'urls' | 'authorities' | 'tenantId' | 'subscriptionId'
  >
  readonly clientId?: string
  readonly secret?: { readonly file: string; readonly text: string }
  readonly inherited: Readonly<Record<string, string | undefined>>
}): ToolVariables {
  const { status, clientId, secret, inherited } = options
  const { tenantId, subscriptionId, authorities } = status
  const { origin, host } = new URL(status.urls.control)
  return {
    CAUSEWAY_DATA: status.dataFolder,
    ...Object.fromEntries(OTHER_CREDENTIALS.map((name) => [name, null])),
    // A tenant of this name is how SDKs take an authority without asking the public cloud whether there is one.
    AZURE_AUTHORITY_HOST: origin,
    AZURE_TENANT_ID: 'adfs',
    AZURE_SUBSCRIPTION_ID: subscriptionId,
    // Both would otherwise turn to the account that az on this machine is signed in to.
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
    ARM_USE_CLI: 'false',
    ARM_METADATA_HOSTNAME: host,
    ARM_TENANT_ID: tenantId,
    ARM_SUBSCRIPTION_ID: subscriptionId,
    ...(clientId !== undefined && { AZURE_CLIENT_ID: clientId, ARM_CLIENT_ID: clientId }),
    ...(secret && { AZURE_CLIENT_SECRET: secret.text, ARM_CLIENT_SECRET_FILE_PATH: secret.file }),
    SSL_CERT_FILE: authorities.hostBundle,
    REQUESTS_CA_BUNDLE: authorities.hostBundle,
    CURL_CA_BUNDLE: authorities.hostBundle,
    // Node adds it to what it trusts.
    NODE_EXTRA_CA_CERTS: authorities.host,
    ...pastProxy(inherited),
  }
}

/** Where requests go by a proxy, those to this host must not. */
function pastProxy(inherited: Readonly<Record<string, string | undefined>>): ToolVariables {
  const hasProxy = Object.entries(inherited).some(
    ([name, value]) => /^(https?|all)_proxy$/i.test(name) && value,
  )
  if (!hasProxy) return {}
  const spared = (inherited.no_proxy ?? inherited.NO_PROXY ?? '').split(',').filter(Boolean)
  const own = [...new Set([...spared, 'localhost', '127.0.0.1'])].join(',')
  return { no_proxy: own, NO_PROXY: own }
}
