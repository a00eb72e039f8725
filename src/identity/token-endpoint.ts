import type { FastifyRequest } from 'fastify'
import { audienceOf } from './audience.ts'
import { AuthorityError } from './authority-error.ts'
import type { ClientAssertions } from './client-assertion.ts'
import { isOwnEndpoint } from './discovery.ts'
import type { Principals, SignIn } from './principals.ts'
import { grantUserTokens, type UserGrantSources } from './user-grants.ts'

/** The parameters of a token request, as posted. */
export type TokenForm = Readonly<Record<string, string | undefined>>

/** As the real authority gives them to service principals. */
const LIFETIME_SECONDS = 3599

/** Whom the token endpoint asks. */
export interface TokenSources extends UserGrantSources {
  readonly principals: Pick<Principals, 'authenticate' | 'byAppId'>
  readonly assertions: ClientAssertions
  readonly tenantId: string
}

/**
 * Grants an access token to a service principal that shows its secret or an assertion.
 *
 * @throws AuthorityError in the words of the real authority.
 */
export async function grantToken(
  options: TokenSources,
  form: TokenForm,
  request: Pick<FastifyRequest, 'headers' | 'host' | 'log'>,
): Promise<object> {
  const { tokens, tenantId } = options
  const grant = required(form, 'grant_type')
  const forPerson = await grantUserTokens(options, form, required)
  if (forPerson) return forPerson
  if (grant !== 'client_credentials') throw unsupportedGrant(grant)
  const client = clientOf(form, request.headers.authorization)
  const resource = resourceOf(form)
  if (!audienceOf(resource, options.hostNames)) throw unknownResource(resource, tenantId)
  const signIn = await authenticate(options, client, request.host)
  const accessToken = await tokens.issueAccessToken({
    signIn,
    audience: resource,
    lifetimeSeconds: LIFETIME_SECONDS,
  })
  request.log.info({ appId: signIn.principal.appId, audience: resource }, 'token issued')
  return {
    token_type: 'Bearer',
    expires_in: LIFETIME_SECONDS,
    ext_expires_in: LIFETIME_SECONDS,
    access_token: accessToken,
  }
}

type Client =
  | { readonly appId: string; readonly secret: string }
  | { readonly appId: string; readonly assertion: string }

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** By form or by `Authorization: Basic`, whose halves are form-encoded (RFC 6749 §2.3.1). */
function clientOf(form: TokenForm, authorization: string | undefined): Client {
  const basic = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1]
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString('utf8')
    const colonAt = text.indexOf(':')
    if (colonAt > 0) {
      return {
        appId: formDecode(text.slice(0, colonAt)),
        secret: formDecode(text.slice(colonAt + 1)),
      }
    }
  }
  const appId = required(form, 'client_id')
  if (form.client_secret) return { appId, secret: form.client_secret }
  if (form.client_assertion && form.client_assertion_type === JWT_BEARER) {
    return { appId, assertion: form.client_assertion }
  }
  throw new AuthorityError(
    401,
    'invalid_client',
    7000216,
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
  )
}

function formDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** The resource id: all of the scope but one `/.default`; ids often end in a slash themselves, hence `…//.default`. */
function resourceOf(form: TokenForm): string {
  if (form.scope === undefined && form.resource) return form.resource
  const scope = required(form, 'scope')
  const resources = scope
    .split(' ')
    .filter(
      (part) => part !== '' && !['openid', 'profile', 'offline_access', 'email'].includes(part),
    )
  const [only] = resources
  if (resources.length !== 1 || !only?.endsWith('/.default')) {
    throw new AuthorityError(
      400,
      'invalid_scope',
      1002012,
      `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
    )
  }
  return only.slice(0, -'/.default'.length)
}

async function authenticate(
  { principals, assertions, tenantId }: TokenSources,
  client: Client,
  host: string,
): Promise<SignIn> {
  const isOurs = (audience: string) => isOwnEndpoint(audience, host, tenantId)
  const signIn =
    'secret' in client
      ? await principals.authenticate(client.appId, client.secret)
      : await assertions.verify(client.appId, client.assertion, isOurs)
  if (signIn) return signIn
  if (await principals.byAppId(client.appId)) {
    throw new AuthorityError(
      401,
      'invalid_client',
      7000215,
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${client.appId}'.`,
    )
  }
  throw new AuthorityError(
    400,
    'unauthorized_client',
    700016,
    `Application with identifier '${client.appId}' was not found in the directory '${tenantId}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  )
}

function required(form: TokenForm, name: string): string {
  const value = form[name]
  if (value) return value
  throw new AuthorityError(
    400,
    'invalid_request',
    900144,
    `The request body must contain the following parameter: '${name}'.`,
  )
}

const unsupportedGrant = (grant: string): AuthorityError =>
  new AuthorityError(
    400,
    'unsupported_grant_type',
    70003,
    `The app requested an unsupported grant type '${grant}'. Service principals sign in with 'client_credentials'.`,
  )

const unknownResource = (resource: string, tenantId: string): AuthorityError =>
  new AuthorityError(
    400,
    'invalid_resource',
    500011,
    `The resource principal named ${resource} was not found in the tenant named ${tenantId}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
  )
