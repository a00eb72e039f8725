import { AuthorityError } from './authority-error.ts'

export type TenantStyle = 'adfs' | 'v1' | 'v2'

/** The names that the public cloud's authority has, the preferred one first. */
const PUBLIC_HOSTS = [
  'login.microsoftonline.com',
  'login.windows.net',
  'login.microsoft.com',
  'sts.windows.net',
] as const

/** The OpenID configuration of the tenant, for a client that came by `base`, `https://localhost:4443`. */
export function describeTenant(base: string, tenantId: string, style: TenantStyle): object {
  const root = style === 'adfs' ? `${base}/adfs` : `${base}/${tenantId}`
  const version = style === 'v2' ? '/v2.0' : ''
  return {
    // Newer clients insist on an issuer on the authority's own host.
    issuer: style === 'adfs' ? root : `${root}${version || '/'}`,
    authorization_endpoint: `${root}/oauth2${version}/authorize`,
    token_endpoint: `${root}/oauth2${version}/token`,
    device_authorization_endpoint: `${root}/oauth2${version}/devicecode`,
    end_session_endpoint: `${root}/oauth2${version}/logout`,
    jwks_uri: `${root}/discovery${version}/keys`,
    token_endpoint_auth_methods_supported: [
      'client_secret_post',
      'private_key_jwt',
      'client_secret_basic',
    ],
    grant_types_supported: [
      'client_credentials',
      'authorization_code',
      'refresh_token',
      'password',
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
    code_challenge_methods_supported: ['S256'],
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    tenant_region_scope: null,
  }
}

/**
 * The answer to instance discovery: whether an authority's host is to be trusted, and by which other names it goes.
 *
 * @throws AuthorityError 400 for an authority that is not this one.
 */
export function describeInstance(
  requestHost: string,
  tenantId: string,
  query: Readonly<Record<string, string>>,
): object {
  const asked = URL.parse(query.authorization_endpoint ?? '')
  const isPublic = PUBLIC_HOSTS.some((host) => host === asked?.hostname)
  const isLoopback = asked?.hostname === 'localhost' || asked?.hostname === '127.0.0.1'
  // The front lets in no host but our own.
  const isWhereItCame = asked !== null && asked.hostname === requestHost.split(':')[0]
  if (asked?.protocol !== 'https:' || !(isPublic || isLoopback || isWhereItCame)) {
    throw new AuthorityError(
      400,
      'invalid_instance',
      50049,
      `Unknown or invalid instance. The authority '${query.authorization_endpoint ?? ''}' is not one of this cloud.`,
    )
  }
  // Clients drop the port of the authority they ask about, so the answer names the host that was asked.
  const host = isPublic ? asked.host : requestHost
  return {
    tenant_discovery_endpoint: `https://${host}/${tenantId}/v2.0/.well-known/openid-configuration`,
    'api-version': query['api-version'] ?? '1.1',
    metadata: [
      {
        preferred_network: PUBLIC_HOSTS[0],
        preferred_cache: PUBLIC_HOSTS[1],
        aliases: PUBLIC_HOSTS,
      },
    ],
  }
}

/**
 * Whether an audience is this authority: its token endpoint or issuer in any of its styles, at one of its public names
 * or where the client has come.
 */
export function isOwnEndpoint(audience: string, requestHost: string, tenantId: string): boolean {
  const url = URL.parse(audience)
  if (url?.protocol !== 'https:') return false
  const host = url.host.toLowerCase()
  if (host !== requestHost.toLowerCase() && !PUBLIC_HOSTS.some((known) => known === host)) {
    return false
  }
  const [tenant, ...rest] = url.pathname.toLowerCase().split('/').filter(Boolean)
  const isTenant = ['adfs', 'common', 'organizations', tenantId].includes(tenant ?? '')
  return isTenant && ['', 'v2.0', 'oauth2/token', 'oauth2/v2.0/token'].includes(rest.join('/'))
}
