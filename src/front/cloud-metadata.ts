/** What clients learn about this cloud at `/metadata/endpoints`. */
export interface CloudMetadata {
  /** For api-version 2015-01-01. */
  readonly legacy: object
  /** For every later one: the list of clouds, ours alone. */
  readonly list: readonly object[]
}

interface Endpoints {
  readonly name: string
  readonly management: string
  readonly login: string
  readonly audiences: readonly string[]
  readonly graph: string
}

const PUBLIC_MANAGEMENT = 'https://management.azure.com'

/**
 * The endpoints of the cloud for a client that came by `baseUrl`, an origin. By the public cloud's own name it is told
 * the public cloud's other names, which lead here too; by any other, everything is at that one origin.
 */
export function cloudMetadata(
  baseUrl: string,
  options: { readonly registryDomain: string; readonly tenantId: string },
): CloudMetadata {
  const base = baseUrl.replace(/\/+$/, '')
  const { name, management, login, audiences, graph } =
    base === PUBLIC_MANAGEMENT ? publicCloud() : singleOrigin(base)
  return {
    legacy: {
      galleryEndpoint: management,
      graphEndpoint: graph,
      portalEndpoint: management,
      authentication: { loginEndpoint: login, audiences },
    },
    list: [
      {
        name,
        portal: management,
        resourceManager: management,
        gallery: management,
        sqlManagement: management,
        vmImageAliasDoc: `${management}aliases.json`,
        logAnalyticsResourceId: management,
        graph,
        graphAudience: graph,
        microsoftGraphResourceId: graph,
        authentication: {
          loginEndpoint: login,
          audiences,
          tenant: name === 'AzureCloud' ? 'common' : options.tenantId,
          identityProvider: name === 'AzureCloud' ? 'AAD' : 'ADFS',
        },
        suffixes: {
          acrLoginServer: options.registryDomain,
          keyVaultDns: 'vault.azure.net',
          mhsmDns: 'managedhsm.azure.net',
          sqlServerHostname: 'database.windows.net',
          storage: 'core.windows.net',
        },
      },
    ],
  }
}

const publicCloud = (): Endpoints => ({
  name: 'AzureCloud',
  management: `${PUBLIC_MANAGEMENT}/`,
  login: 'https://login.microsoftonline.com',
  audiences: ['https://management.core.windows.net/', 'https://management.azure.com/'],
  graph: 'https://graph.microsoft.com/',
})

const singleOrigin = (base: string): Endpoints => ({
  name: 'Causeway',
  management: `${base}/`,
  // Clients take an authority on a host they do not know only where its path says ADFS.
  login: `${base}/adfs`,
  audiences: [`${base}/`],
  // Never the public cloud's: a client on the host would send our tokens there.
  graph: `${base}/`,
})
