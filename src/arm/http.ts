import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Principal } from '../identity/principal.ts'
import { CHECKED_BY_SCHEMA } from '../lib/checked-by-schema.ts'
import { renderArmErrors, renderFrameworkError } from './error-handler.ts'
import type { ArmAnswer, ArmRequest, Handler } from './exchange.ts'
import {
  authenticationMissing,
  invalidContent,
  invalidToken,
  methodNotAllowed,
  missingApiVersion,
} from './gateway-errors.ts'
import { pathSegments } from './request-path.ts'
import type { Settings } from './resource-type.ts'

const BODY_BYTES_MAX = 4 * 1024 * 1024
const JSON_DEPTH_MAX = 64
const LEGACY_METADATA_VERSION = '2015-01-01'

/** What `/metadata/endpoints` says of this cloud: the shape of 2015-01-01, and the list of later versions. */
export interface CloudMetadata {
  readonly legacy: object
  readonly list: readonly object[]
}

/** The HTTP side of the control plane: one route for all; headers, bodies and errors are settled here. */
export function createHttp(options: {
  readonly dispatch: Handler
  authenticate(authorization: string | undefined): Promise<Principal | undefined>
  metadata(baseUrl: string): CloudMetadata
  readonly settings: Settings
  readonly log: Logger
}): FastifyInstance {
  const app = Fastify({
    schemaController: CHECKED_BY_SCHEMA,
    bodyLimit: BODY_BYTES_MAX,
    genReqId: () => randomUUID(),
    frameworkErrors(error, request, reply) {
      reply.headers(requestIds(request))
      renderFrameworkError(error, request, reply)
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body)
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(requestIds(request))
  })
  renderArmErrors(app, options.log)

  app.all('/*', async (request, reply) => {
    const [path = '/'] = request.url.split('?')
    const segments = pathSegments(path)
    const query = queryOf(request.url)
    const baseUrl = `${request.protocol}://${request.host}`
    const route = segments.join('/').toLowerCase()
    if (route === 'metadata/endpoints') {
      if (request.method !== 'GET') throw methodNotAllowed(request.method)
      const { legacy, list } = options.metadata(baseUrl)
      return query('api-version') === LEGACY_METADATA_VERSION ? legacy : list
    }
    const principal = await requirePrincipal(request, reply, baseUrl)
    const apiVersion = query('api-version')
    if (!apiVersion) throw missingApiVersion()
    const armRequest: ArmRequest = {
      method: request.method,
      segments,
      query,
      header: (name) => headerOf(request, name),
      body: parseBody(request.body),
      baseUrl,
      url: request.url,
      apiVersion,
      principal,
    }
    return send(reply, await options.dispatch(armRequest))
  })

  async function requirePrincipal(request: FastifyRequest, reply: FastifyReply, baseUrl: string) {
    const authorization = request.headers.authorization
    const principal = await options.authenticate(authorization)
    if (principal) return principal
    reply.header('www-authenticate', challenge(options.metadata(baseUrl), options.settings))
    throw authorization === undefined ? authenticationMissing() : invalidToken()
  }

  return app
}

function send(reply: FastifyReply, answer: ArmAnswer) {
  reply.code(answer.status).headers(answer.headers ?? {})
  reply.header('cache-control', 'no-cache')
  if (answer.body === undefined) return reply.send()
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.body))
}

function requestIds(request: FastifyRequest): Record<string, string> {
  const clientId = headerOf(request, 'x-ms-client-request-id')
  const returnsClientId = headerOf(request, 'x-ms-return-client-request-id') === 'true'
  return {
    'x-ms-request-id': request.id,
    'x-ms-correlation-request-id': headerOf(request, 'x-ms-correlation-request-id') ?? request.id,
    ...(clientId && returnsClientId && { 'x-ms-client-request-id': clientId }),
  }
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

function queryOf(url: string): (name: string) => string | undefined {
  const at = url.indexOf('?')
  const parameters = new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
  const byName = new Map([...parameters].map(([name, value]) => [name.toLowerCase(), value]))
  return (name) => byName.get(name.toLowerCase())
}

function parseBody(body: unknown): unknown {
  if (typeof body !== 'string' || body.trim() === '') return undefined
  const parsed = parseJson(body)
  if (isDeeper(parsed, JSON_DEPTH_MAX)) throw invalidContent('it is nested too deeply')
  return parsed
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalidContent(error instanceof Error ? error.message : 'it is not JSON')
  }
}

// What follows walks bodies by recursion.
const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1)))

/** Clients without a tenant of their own find it in the challenge. */
function challenge(metadata: CloudMetadata, settings: Settings): string {
  const [cloud] = metadata.list as readonly { authentication?: { loginEndpoint?: unknown } }[]
  const login = String(cloud?.authentication?.loginEndpoint ?? '').replace(/\/$/, '')
  return (
    `Bearer authorization_uri="${login}/${settings.tenantId}", error="invalid_token", ` +
    'error_description="The authentication failed because of missing \'Authorization\' header."'
  )
}
