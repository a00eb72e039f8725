import { join } from 'node:path'
import { bundleInPlace } from './trust-store.ts'

export interface ProgramCredentials {
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: string
  readonly subscriptionId: string
}

type Environment = Record<string, string>

// A proxy would carry requests past the place; the caller's own cloud and daemon settings would lead out of it.
const DROPPED = [
  /^(https?|all|no|ftp|rsync|socks)_proxy$/i,
  /^AZURE_/i,
  /^(ARM|DOCKER)_/,
  /^MSI_/,
  /^IDENTITY_/,
]

/**
 * The environment of a program in a place: the caller's own, less what would lead out of the place, with the trust
 * store, credentials and configuration folders of the place.
 *
 * @param options.caBundle the trust store as on the machine; programs are told where they see it
 * @param options.home folder of the program's own configuration
 */
export function placeEnvironment(options: {
  readonly caBundle: string
  readonly home: string
  readonly credentials: ProgramCredentials
  readonly inherited: Readonly<Record<string, string | undefined>>
}): Environment {
  const { home, credentials, inherited } = options
  const bundle = bundleInPlace(options.caBundle)
  return {
    ...withoutWaysOut(inherited),
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
    NODE_EXTRA_CA_CERTS: bundle,
    GIT_SSL_CAINFO: bundle,
    AZURE_CONFIG_DIR: join(home, 'azure'),
    DOCKER_CONFIG: join(home, 'docker'),
    REGISTRY_AUTH_FILE: join(home, 'containers', 'auth.json'),
    AZURE_TENANT_ID: credentials.tenantId,
    AZURE_CLIENT_ID: credentials.clientId,
    AZURE_CLIENT_SECRET: credentials.clientSecret,
    AZURE_SUBSCRIPTION_ID: credentials.subscriptionId,
    // The client would otherwise report to addresses that do not exist in a place, and wait for them.
    AZURE_CORE_COLLECT_TELEMETRY: 'no',
    AZURE_CORE_SURVEY_MESSAGE: 'no',
  }
}

/** A caller's environment, less what would lead out to other clouds, proxies and daemons. */
export const withoutWaysOut = (
  inherited: Readonly<Record<string, string | undefined>>,
): Environment =>
  Object.fromEntries(
    Object.entries(inherited).flatMap(([name, value]) =>
      value === undefined || DROPPED.some((pattern) => pattern.test(name)) ? [] : [[name, value]],
    ),
  )
