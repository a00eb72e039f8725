import { type Exchange, type Query, readBody, sendJson } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import type { RegistryIdentity } from '../identity.ts'
import { type Credentials, parseAuthorization, shownName } from './credentials.ts'
import { grant, hasAnyRight, type Subject } from './grants.ts'
import type { RegistryTokens } from './registry-tokens.ts'
import { parseScopes } from './scope.ts'

const FORM_BYTES_MAX = 64 * 1024

export interface TokenEndpoints {
  /** Serves `/oauth2/exchange` and `/oauth2/token`. */
  serve(exchange: Exchange): Promise<void>
}

/** https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md */
export function createTokenEndpoints(options: {
  readonly identity: RegistryIdentity
  readonly tokens: RegistryTokens
  readonly credentials: Credentials
  readonly tenantId: string
}): TokenEndpoints {
  const { identity, tokens, credentials, tenantId } = options

  /** A token of the directory for a refresh token of the registry. */
  async function exchangeToken(exchange: Exchange): Promise<void> {
    const { registry } = exchange
    const form = await readForm(exchange)
    checkService(exchange, form)
    const tenant = form.get('tenant')
    if (tenant && tenant.toLowerCase() !== tenantId.toLowerCase()) throw refused('another tenant')
    const token = form.get('access_token') ?? ''
    const signIn = await identity.verifyAccessToken(token)
    if (!signIn) throw refused('the access token is not valid')
    const { principal, credential } = signIn
    const subject: Subject = { kind: 'principal', principal, credential }
    exchange.record.subject = subject
    if (!hasAnyRight(identity, registry, subject)) throw refused('no role on the registry')
    sendJson(exchange, 200, { refresh_token: await tokens.issueRefreshToken(registry, subject) })
  }

  async function sendAccessToken(
    exchange: Exchange,
    subject: Subject | undefined,
    scopes: readonly string[],
  ): Promise<void> {
    if (!subject) throw refused('the credentials are not valid')
    const { registry, record } = exchange
    record.subject = subject
    const access = grant(identity, registry, subject, parseScopes(scopes))
    sendJson(exchange, 200, {
      access_token: await tokens.issueAccessToken(registry, subject, access),
    })
  }

  async function subjectOfForm(
    exchange: Exchange,
    form: URLSearchParams,
  ): Promise<Subject | undefined> {
    const { registry } = exchange
    const refreshToken = form.get('refresh_token')
    const grantType = form.get('grant_type')
    if (grantType === 'refresh_token') {
      return tokens.verifyRefreshToken(registry, refreshToken ?? '')
    }
    if (grantType === 'password') {
      const user = form.get('username')
      if (user) return prove(exchange, user, form.get('password') ?? '')
      return registry.anonymousPull ? { kind: 'anonymous' } : undefined
    }
    throw new OciError('UNSUPPORTED', { grant_type: grantType })
  }

  async function prove(exchange: Exchange, user: string, password: string) {
    const { registry, record } = exchange
    const subject = await credentials.prove(registry, user, password)
    if (!subject) record.triedName = shownName(registry, user)
    return subject
  }

  async function subjectOfHeader(exchange: Exchange): Promise<Subject | undefined> {
    const { request, registry } = exchange
    const authorization = parseAuthorization(request.headers.authorization)
    if (authorization.scheme === 'basic') {
      return prove(exchange, authorization.user, authorization.password)
    }
    if (authorization.scheme === 'none' && registry.anonymousPull) return { kind: 'anonymous' }
    return undefined
  }

  return {
    async serve(exchange) {
      const { request, path, query, record } = exchange
      if (path === '/oauth2/exchange') record.asked = { kind: 'token_exchange' }
      if (path === '/oauth2/token') record.asked = { kind: 'token' }
      if (path === '/oauth2/exchange' && request.method === 'POST') return exchangeToken(exchange)
      if (path === '/oauth2/token' && request.method === 'POST') {
        const form = await readForm(exchange)
        checkService(exchange, form)
        return sendAccessToken(exchange, await subjectOfForm(exchange, form), form.getAll('scope'))
      }
      if (path === '/oauth2/token' && request.method === 'GET') {
        checkService(exchange, query)
        return sendAccessToken(exchange, await subjectOfHeader(exchange), query.getAll('scope'))
      }
      const known = path === '/oauth2/token' || path === '/oauth2/exchange'
      throw new OciError(known ? 'UNSUPPORTED' : 'NOT_FOUND')
    },
  }
}

const readForm = async ({ request }: Exchange): Promise<URLSearchParams> =>
  new URLSearchParams(
    (await readBody(request, FORM_BYTES_MAX, () => new OciError('SIZE_INVALID'))).toString(),
  )

function checkService({ registry }: Exchange, parameters: Query): void {
  const service = parameters.get('service')
  if (service && service.toLowerCase() !== registry.loginServer) throw refused('another service')
}

const refused = (reason: string): OciError =>
  new OciError('UNAUTHORIZED', undefined, { cause: new Error(reason) })
