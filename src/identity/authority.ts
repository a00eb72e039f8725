import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { CHECKED_BY_SCHEMA } from '../lib/checked-by-schema.ts'
import type { Clock } from '../lib/clock.ts'
import { AuthorityError, toAuthorityError } from './authority-error.ts'
import { describeInstance, describeTenant, type TenantStyle } from './discovery.ts'
import type { Principals } from './principals.ts'
import { signInRoutes } from './sign-in-routes.ts'
import { grantToken, type TokenForm, type TokenSources } from './token-endpoint.ts'
import type { Tokens } from './tokens.ts'
import { createUserSessions } from './user-sessions.ts'
import { createUserSignIn } from './user-sign-in.ts'

export interface AuthorityOptions extends Omit<TokenSources, 'sessions' | 'signInUser'> {
  readonly principals: TokenSources['principals'] & Pick<Principals, 'authenticateUser'>
  readonly tokens: TokenSources['tokens'] & Pick<Tokens, 'publicKeys'>
  readonly clock: Clock
  readonly log: FastifyBaseLogger
}

type InTenant = FastifyRequest<{ Params: { tenant: string } }>

const FORM_BYTES_MAX = 64 * 1024
// Names that stand for "whichever tenant": there is one.
const ANY_TENANT = new Set(['common', 'organizations'])

/**
 * The authority that clients sign in at, in two styles: `/adfs/…`, which az takes on any host, and `/{tenant}/…` as
 * login.microsoftonline.com has it. Every URL it names is on the host it was asked at. Ready for `routing`.
 */
export async function createAuthority(options: AuthorityOptions): Promise<FastifyInstance> {
  const { tokens, tenantId, log } = options
  const people = { sessions: createUserSessions(options), signInUser: createUserSignIn(options) }
  const app = fastify({
    schemaController: CHECKED_BY_SCHEMA,
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: FORM_BYTES_MAX,
    // Clients put authority and path together with a slash too many.
    rewriteUrl: (request) => collapseSlashes(request.url ?? '/'),
    routerOptions: {
      caseSensitive: false,
      ignoreTrailingSlash: true,
      // One value for each name, as of a form.
      querystringParser: (query) => Object.fromEntries(new URLSearchParams(query)),
    },
  })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )

  app.addHook('onSend', async (request, reply) => {
    const clientId = request.headers['client-request-id']
    reply.header('x-ms-request-id', request.id)
    if (typeof clientId === 'string') reply.header('client-request-id', clientId)
    reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
  })
  app.setErrorHandler((thrown, request, reply) => {
    const error = toAuthorityError(thrown)
    if (error.status >= 500) request.log.error({ err: error.cause }, 'request failed')
    return reply.code(error.status).send(error.toBody(options.clock.now()))
  })
  app.setNotFoundHandler((request) => {
    throw new AuthorityError(404, 'not_found', 90013, `There is nothing at '${request.url}'.`)
  })

  const checkTenant = async (request: FastifyRequest) => {
    const { tenant } = (request as InTenant).params
    if (ANY_TENANT.has(tenant.toLowerCase()) || tenant.toLowerCase() === tenantId) return
    throw new AuthorityError(
      400,
      request.method === 'GET' ? 'invalid_tenant' : 'invalid_request',
      90002,
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
    )
  }
  const describe = (style: TenantStyle) => (request: FastifyRequest) =>
    describeTenant(`https://${request.host}`, tenantId, style)
  const token = (request: FastifyRequest) =>
    grantToken({ ...options, ...people }, (request.body ?? {}) as TokenForm, request)
  const keys = () => tokens.publicKeys

  app.get('/common/discovery/instance', (request: FastifyRequest) =>
    describeInstance(request.host, tenantId, request.query as Record<string, string>),
  )

  app.get('/adfs/.well-known/openid-configuration', describe('adfs'))
  app.get('/adfs/discovery/keys', keys)
  app.post('/adfs/oauth2/token', token)

  const preHandler = checkTenant
  app.get('/:tenant/.well-known/openid-configuration', { preHandler }, describe('v1'))
  app.get('/:tenant/v2.0/.well-known/openid-configuration', { preHandler }, describe('v2'))
  for (const version of ['', '/v2.0']) {
    app.get(`/:tenant/discovery${version}/keys`, { preHandler }, keys)
    app.post(`/:tenant/oauth2${version}/token`, { preHandler }, token)
    // Terraform puts the tenant behind whatever the cloud's metadata call the login endpoint.
    app.post(`/adfs/:tenant/oauth2${version}/token`, { preHandler }, token)
  }
  for (const [oauth, page] of [
    ['/adfs/oauth2', '/adfs/oauth2/deviceauth'],
    ['/:tenant/oauth2', '/common/oauth2/deviceauth'],
    ['/:tenant/oauth2/v2.0', '/common/oauth2/v2.0/deviceauth'],
  ] as const) {
    const check = oauth.startsWith('/:tenant') ? [checkTenant] : []
    signInRoutes(app, people, { oauth, page, preHandler: check })
  }
  // Clients ask whether a person signs in here or at another authority.
  app.get('/common/userrealm/:user', async () => ({
    ver: '1.0',
    account_type: 'Managed',
    cloud_instance_name: 'microsoftonline.com',
    cloud_audience_urn: 'urn:federation:MicrosoftOnline',
  }))
  await app.ready()
  return app
}

function collapseSlashes(url: string): string {
  const queryAt = url.indexOf('?')
  const path = queryAt < 0 ? url : url.slice(0, queryAt)
  return path.replace(/\/{2,}/g, '/') + (queryAt < 0 ? '' : url.slice(queryAt))
}
