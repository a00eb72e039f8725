import { chmod, rm } from 'node:fs/promises'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import { CHECKED_BY_SCHEMA } from '../lib/checked-by-schema.ts'
import { isStorageFull } from '../storage/blob-store.ts'
import type {
  Attached,
  AttachRequest,
  AuditAnswer,
  AuditRequest,
  Collected,
  CollectRequest,
  CreatedPrincipal,
  DescribedPrincipal,
  GarbageCandidate,
  HostProgram,
  HostRequest,
  NetworkSummary,
  NewPrincipal,
  Resolved,
  ResolveRequest,
  ScrubProgress,
  ScrubRequest,
  ServerStatus,
} from './contract.ts'
import { OperatorError } from './operator-error.ts'

/** What the server lets its owner do, beyond what ARM offers. */
export interface Operations {
  status(): Promise<ServerStatus>
  /** `release` is called once, when the caller is gone. */
  attach(request: AttachRequest): Promise<{ attached: Attached; release(): Promise<void> }>
  /** As `attach`, for a program that stays on the host. */
  startOnHost(request: HostRequest): Promise<{ program: HostProgram; release(): Promise<void> }>
  createPrincipal(request: NewPrincipal): Promise<CreatedPrincipal>
  listPrincipals(): Promise<readonly DescribedPrincipal[]>
  showPrincipal(name: string): Promise<DescribedPrincipal>
  listNetworks(): readonly NetworkSummary[]
  deletePrincipal(name: string): Promise<void>
  /** Replaces its secrets by a new one. */
  resetPrincipal(name: string): Promise<CreatedPrincipal>
  resolve(request: ResolveRequest): Resolved
  listAudit(request: AuditRequest): AuditAnswer | Promise<AuditAnswer>
  listGarbage(): Promise<readonly GarbageCandidate[]>
  collectGarbage(request: CollectRequest): Promise<Collected>
  /** Goes on with the scrub for about a second. */
  scrub(request: ScrubRequest): Promise<ScrubProgress>
  /** Opens the log anew, when it has got another name. */
  reopenLog(): Promise<void>
  shutDown(): void
}

const NAMED = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string' },
    role: { type: 'string' },
    scope: { type: 'string' },
    certificate: { type: 'string' },
    user: { type: 'boolean' },
  },
} as const

const QUESTION = {
  type: 'object',
  required: ['where', 'name', 'type'],
  properties: {
    where: { type: 'object' },
    name: { type: 'string' },
    type: { type: 'string' },
  },
} as const

const AUDIT_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    table: { enum: ['login', 'repository'] },
    registry: { type: 'string' },
    repository: { type: 'string' },
    since: { type: 'string', format: 'date-time' },
    after: { type: 'integer', minimum: 0 },
    before: { type: 'integer', minimum: 0 },
    limit: { type: 'integer', minimum: 1, maximum: 1000 },
  },
} as const

const COLLECTION = {
  type: 'object',
  properties: { ignoresGrace: { type: 'boolean' } },
} as const

const SCRUB = {
  type: 'object',
  properties: {
    bytesPerSecond: { type: 'number', exclusiveMinimum: 0 },
    restarts: { type: 'boolean' },
  },
} as const

/**
 * Serves the owner's commands on a Unix socket that only the owner may open: whoever can is allowed everything.
 */
export async function serveOperator(options: {
  readonly socket: string
  readonly operations: Operations
  readonly log: Logger
}): Promise<{ close(): Promise<void> }> {
  const { operations, log } = options
  const app = Fastify({
    schemaController: CHECKED_BY_SCHEMA,
    forceCloseConnections: true,
    // Names of principals stand in paths, three bytes for each one that is escaped.
    routerOptions: { maxParamLength: 1500 },
  })
  renderErrors(app, log)

  app.get('/status', () => operations.status())
  app.get('/networks', () => operations.listNetworks())
  app.get('/principals', () => operations.listPrincipals())
  app.get<{ Params: { name: string } }>('/principals/:name', (request) =>
    operations.showPrincipal(request.params.name),
  )
  app.post('/principals', { schema: { body: NAMED } }, (request) =>
    operations.createPrincipal(request.body as NewPrincipal),
  )
  app.delete<{ Params: { name: string } }>('/principals/:name', async (request, reply) => {
    await operations.deletePrincipal(request.params.name)
    return reply.code(204).send()
  })
  app.post<{ Params: { name: string } }>('/principals/:name/reset', (request) =>
    operations.resetPrincipal(request.params.name),
  )
  app.post('/resolutions', { schema: { body: QUESTION } }, (request) =>
    operations.resolve(request.body as ResolveRequest),
  )
  app.get('/audit', { schema: { querystring: AUDIT_QUERY } }, (request) =>
    operations.listAudit(request.query as AuditRequest),
  )
  app.get('/garbage', () => operations.listGarbage())
  app.post('/garbage/collections', { schema: { body: COLLECTION } }, (request) =>
    operations.collectGarbage(request.body as CollectRequest),
  )
  app.post('/scrub', { schema: { body: SCRUB } }, (request) =>
    operations.scrub(request.body as ScrubRequest),
  )
  app.post('/log/reopen', async (_request, reply) => {
    await operations.reopenLog()
    return reply.code(204).send()
  })
  app.post('/shutdown', (_request, reply) => {
    operations.shutDown()
    return reply.code(202).send({})
  })
  app.post('/attachments', async (request, reply) => {
    const { attached, release } = await operations.attach(request.body as AttachRequest)
    holdOpen(reply, attached, release, log)
  })
  app.post('/host-programs', async (request, reply) => {
    const { program, release } = await operations.startOnHost(request.body as HostRequest)
    holdOpen(reply, program, release, log)
  })

  await rm(options.socket, { force: true })
  await app.listen({ path: options.socket })
  await chmod(options.socket, 0o600)
  return { close: () => app.close() }
}

/** The connection stands for the program: when the caller ends, in whatever way, it closes. */
function holdOpen(
  reply: FastifyReply,
  firstLine: object,
  release: () => Promise<void>,
  log: Logger,
): void {
  const { raw } = reply.hijack()
  const end = () => {
    release().catch((error) => log.error({ err: error }, 'a program could not be detached'))
  }
  if (raw.destroyed) {
    end()
    return
  }
  raw.once('close', end)
  raw.writeHead(200, { 'content-type': 'application/x-ndjson' })
  raw.write(`${JSON.stringify(firstLine)}\n`)
}

function renderErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof OperatorError) {
      return reply.code(error.status).send({ message: error.message })
    }
    const status = error.statusCode ?? 500
    if (status < 500) return reply.code(status).send({ message: error.message })
    log.error({ err: error }, 'an operator request failed')
    if (isStorageFull(error)) {
      return reply.code(507).send({ message: 'There is no space left for the data folder.' })
    }
    return reply
      .code(500)
      .send({ message: "The server failed to do this; 'causeway logs' has the reason." })
  })
}
