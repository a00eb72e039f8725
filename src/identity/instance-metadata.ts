import type { IncomingMessage, ServerResponse } from 'node:http'
import type net from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../lib/clock.ts'
import { http } from '../lib/http.ts'
import type { PlaceId } from '../lib/origin.ts'
import { audienceOf } from './audience.ts'
import type { SignIn } from './principals.ts'
import type { Tokens } from './tokens.ts'

export interface InstanceMetadata {
  /** Answers on a listening server of a place. To be called in the tick in which the server arrives. */
  accept(server: net.Server, place: PlaceId): { close(): Promise<void> }
}

interface Answer {
  readonly status: number
  readonly body: object
}

const TOKEN_PATH = '/metadata/identity/oauth2/token'
/** As the real service gives them to managed identities; they end with their program before. */
const LIFETIME_SECONDS = 86_399
const REQUEST_MS_MAX = 10_000

/**
 * The instance metadata service, as far as managed identities go:
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
export function createInstanceMetadata(options: {
  /** The program that stands at an address: undefined for none; without a sign-in where it has no identity. */
  readonly programAt: (
    place: PlaceId,
    address: string,
  ) => { signIn(): Promise<SignIn | undefined> } | undefined
  readonly tokens: Pick<Tokens, 'issueAccessToken'>
  readonly clock: Clock
  readonly log: FastifyBaseLogger
}): InstanceMetadata {
  const { programAt, tokens, clock, log } = options

  async function answer(request: IncomingMessage, place: PlaceId): Promise<Answer> {
    const url = URL.parse(request.url ?? '', 'http://169.254.169.254')
    const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const program = programAt(place, address)
    if (!program) return refuse(401, 'unknown_source', `Unknown Source ${address}`)
    // A page or a proxy that is made to come here can set neither: only who means it is answered.
    if (request.headers['x-forwarded-for'] !== undefined) {
      return refuse(400, 'invalid_request', 'X-Forwarded-For header is not allowed')
    }
    if (request.headers.metadata?.toString().toLowerCase() !== 'true') {
      return refuse(400, 'invalid_request', 'Required metadata header not specified')
    }
    if (url?.pathname.toLowerCase() !== TOKEN_PATH)
      return { status: 404, body: { error: 'Not found' } }
    if (request.method !== 'GET') return refuse(405, 'invalid_request', 'Method not allowed')
    const { searchParams } = url
    for (const name of ['api-version', 'resource']) {
      if (searchParams.get(name)) continue
      return refuse(400, 'invalid_request', `Required query variable '${name}' is missing`)
    }
    const signIn = await program.signIn()
    if (!signIn || !isMeant(signIn, searchParams)) {
      return refuse(400, 'identity_not_found', 'Identity not found')
    }
    return grant(signIn, searchParams.get('resource') ?? '')
  }

  async function grant(signIn: SignIn, resource: string): Promise<Answer> {
    if (!audienceOf(resource)) {
      const why = `AADSTS500011: The resource principal named ${resource} was not found in the tenant.`
      return refuse(400, 'invalid_resource', why)
    }
    const now = Math.floor(clock.now().getTime() / 1000)
    const token = await tokens.issueAccessToken({
      signIn,
      audience: resource,
      lifetimeSeconds: LIFETIME_SECONDS,
    })
    log.info({ appId: signIn.principal.appId, audience: resource }, 'managed identity token issued')
    return {
      status: 200,
      body: {
        access_token: token,
        client_id: signIn.principal.appId,
        expires_in: String(LIFETIME_SECONDS),
        expires_on: String(now + LIFETIME_SECONDS),
        ext_expires_in: String(LIFETIME_SECONDS),
        not_before: String(now),
        resource,
        token_type: 'Bearer',
      },
    }
  }

  return {
    accept(server, place) {
      const fed = http.createServer({ requestTimeout: REQUEST_MS_MAX }, (request, response) => {
        answer(request, place).then(
          (given) => send(response, given),
          (error: unknown) => {
            log.error({ err: error }, 'request failed')
            send(response, refuse(500, 'unknown', 'Failed to retrieve token.'))
          },
        )
      })
      const connections = new Set<net.Socket>()
      const accept = (socket: net.Socket) => {
        connections.add(socket)
        socket.once('close', () => connections.delete(socket))
        socket.on('error', (error) => log.debug({ err: error }, 'connection failed'))
        fed.emit('connection', socket)
      }
      server.on('connection', accept)
      // Node begins to enforce timeouts when a server starts to listen; this one is fed instead.
      fed.emit('listening')
      return {
        async close() {
          const closed = new Promise<void>((resolve) => server.close(() => resolve()))
          fed.close()
          for (const socket of connections) socket.destroy()
          await closed
          server.off('connection', accept)
        },
      }
    },
  }
}

const refuse = (status: number, error: string, description: string): Answer => ({
  status,
  body: { error, error_description: description },
})

// Azure's own id of a user-assigned identity. There is no such resource here: its last part is the principal's name.
const IDENTITY_ID =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ManagedIdentity\/userAssignedIdentities\/([^/]+)$/i

/** A client may say which of its identities it means; here it has one. */
function isMeant({ principal }: SignIn, query: URLSearchParams): boolean {
  const { appId, objectId, displayName } = principal
  const is = (own: string) => (said: string) => said.toLowerCase() === own.toLowerCase()
  const isNamed = (id: string) => is(displayName)(IDENTITY_ID.exec(id)?.[1] ?? '')
  return [
    ...query.getAll('client_id').map(is(appId)),
    ...query.getAll('object_id').map(is(objectId)),
    ...[...query.getAll('msi_res_id'), ...query.getAll('mi_res_id')].map(isNamed),
  ].every(Boolean)
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    server: 'IMDS',
  })
  response.end(text)
}
