import type { FastifyInstance } from 'fastify'
import type { Application } from '../identity/applications.ts'
import {
  type GraphOptions,
  objectOf,
  requireApplication,
  requireManager,
  textOf,
  type WithId,
} from './directory.ts'
import { showPassword } from './entities.ts'
import { badRequest } from './graph-error.ts'

const YEARS_BY_DEFAULT = 2

/** addPassword and removePassword of applications and of service principals, which share their passwords. */
export function passwordRoutes(
  app: FastifyInstance,
  options: GraphOptions,
  collection: {
    readonly path: string
    readonly hasId: (id: string) => (one: Application) => boolean
  },
): void {
  const { credentials, clock } = options
  const find = (id: string) => requireApplication(options, id, collection.hasId(id))

  app.post<WithId>(`${collection.path}/:id/addPassword`, async (request) => {
    const application = await find(request.params.id)
    requireManager(request, options, application)
    const wanted = objectOf(objectOf(request.body ?? {}).passwordCredential ?? {})
    const startsAt = timeOf(wanted.startDateTime) ?? clock.now()
    const expiresAt = timeOf(wanted.endDateTime) ?? yearsAfter(startsAt, YEARS_BY_DEFAULT)
    if (expiresAt <= startsAt)
      throw badRequest('Credential lifetime is invalid: it ends before it starts.')
    const { password, secret } = await credentials.addPassword(application.objectId, {
      displayName: typeof wanted.displayName === 'string' ? wanted.displayName : undefined,
      startsAt: startsAt.toISOString(),
      expiresAt: expiresAt.toISOString(),
    })
    return { ...showPassword(password), secretText: secret }
  })

  app.post<WithId>(`${collection.path}/:id/removePassword`, async (request, reply) => {
    const application = await find(request.params.id)
    requireManager(request, options, application)
    const keyId = textOf(objectOf(request.body), 'keyId')
    if (await credentials.removePassword(application.objectId, keyId)) return reply.code(204).send()
    throw badRequest(`No password credential found with keyId '${keyId}'.`)
  })
}

/** @throws GraphError 400 for what is no time. */
export function timeOf(value: unknown): Date | undefined {
  if (value === undefined || value === null) return undefined
  const time = new Date(typeof value === 'string' ? value : Number.NaN)
  if (!Number.isNaN(time.getTime())) return time
  throw badRequest(`'${value}' is not a date and time.`)
}

function yearsAfter(start: Date, years: number): Date {
  const end = new Date(start)
  end.setUTCFullYear(end.getUTCFullYear() + years)
  return end
}
