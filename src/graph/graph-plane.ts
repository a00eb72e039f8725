import fastify, { type FastifyInstance, LogController } from 'fastify'
import { CHECKED_BY_SCHEMA } from '../lib/checked-by-schema.ts'
import { applicationRoutes } from './applications.ts'
import { asker, type GraphOptions } from './directory.ts'
import { directoryObjectRoutes } from './directory-objects.ts'
import { federatedCredentialRoutes } from './federated-credentials.ts'
import { GraphError, toGraphError } from './graph-error.ts'
import { servicePrincipalRoutes } from './service-principals.ts'
import { userRoutes } from './users.ts'

const BODY_BYTES_MAX = 256 * 1024
const VERSIONS = ['/v1.0', '/beta']

/**
 * Microsoft Graph as far as principals go: applications, service principals, users. Everybody who is signed in reads;
 * who may manage, writes. Ready for `routing`.
 */
export async function createGraphPlane(options: GraphOptions): Promise<FastifyInstance> {
  const app = fastify({
    schemaController: CHECKED_BY_SCHEMA,
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    rewriteUrl: (request) => collapseSlashes(request.url ?? '/'),
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true },
  })

  app.addHook('onRequest', async (request) => {
    const principal = await options.authenticate(request)
    if (principal) return void asker.set(request, principal)
    const isEmpty = request.headers.authorization === undefined
    throw new GraphError(
      401,
      'InvalidAuthenticationToken',
      isEmpty ? 'Access token is empty.' : 'Access token validation failure.',
    )
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('request-id', request.id).header('cache-control', 'no-store')
  })
  app.setErrorHandler((thrown, request, reply) => {
    const error = toGraphError(thrown)
    if (error.status >= 500) request.log.error({ err: error.cause }, 'request failed')
    const clientId = request.headers['client-request-id']
    const body = error.toBody(
      options.clock.now(),
      typeof clientId === 'string' ? clientId : undefined,
    )
    return reply.code(error.status).send(body)
  })
  app.setNotFoundHandler((request) => {
    const [path = ''] = request.url.split('?')
    const segment = path.split('/').at(2) ?? ''
    throw new GraphError(400, 'BadRequest', `Resource not found for the segment '${segment}'.`)
  })

  for (const prefix of VERSIONS) {
    await app.register(
      async (version) => {
        applicationRoutes(version, options)
        federatedCredentialRoutes(version, options)
        servicePrincipalRoutes(version, options)
        userRoutes(version, options)
        directoryObjectRoutes(version, options)
      },
      { prefix },
    )
  }
  await app.ready()
  return app
}

function collapseSlashes(url: string): string {
  const [path = '/', ...query] = url.split('?')
  return [path.replace(/\/{2,}/g, '/'), ...query].join('?')
}
