import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import type { Application, Applications } from '../identity/applications.ts'
import type { Credentials } from '../identity/credentials.ts'
import type { Principal } from '../identity/principal.ts'
import type { Principals } from '../identity/principals.ts'
import type { Clock } from '../lib/clock.ts'
import type { Registration } from './entities.ts'
import { type Entity, parseFilter } from './filter.ts'
import { badRequest, denied, notFound } from './graph-error.ts'

export interface GraphOptions {
  readonly applications: Applications
  readonly credentials: Credentials
  readonly principals: Pick<Principals, 'list' | 'byObjectId'>
  /** Who asks; undefined for nobody. */
  readonly authenticate: (request: FastifyRequest) => Promise<Principal | undefined>
  /** Whether a principal may change the directory. */
  readonly mayManage: (principal: Principal) => boolean
  /** Takes away every role of a principal that is about to go. */
  readonly removeRoles: (objectId: string) => Promise<void>
  /** Owns the installation: changed by nobody here, whoever it is. */
  readonly ownerId: string
  readonly tenantId: string
  readonly clock: Clock
  readonly log: FastifyBaseLogger
}

/** Routes of one kind of object. */
export type GraphRoutes = (app: FastifyInstance, options: GraphOptions) => void

export type WithId = { Params: { id: string } }

/** Who asks, put there before any route runs. */
export const asker = new WeakMap<FastifyRequest, Principal>()

/** @throws GraphError 403 for who may not change the directory, and for a change of the owner. */
export function requireManager(
  request: FastifyRequest,
  options: GraphOptions,
  subject?: Application,
): void {
  const principal = asker.get(request)
  if (!principal || !options.mayManage(principal)) throw denied()
  if (subject?.objectId === options.ownerId) throw denied()
}

/** @throws GraphError 404 */
export async function requireApplication(
  options: GraphOptions,
  id: string,
  isIt: (application: Application) => boolean,
): Promise<Application> {
  const found = (await options.applications.list()).find(isIt)
  if (!found) throw notFound(id)
  return found
}

export async function register(
  application: Application,
  { credentials }: GraphOptions,
): Promise<Registration> {
  const { objectId } = application
  const [passwords, certificates] = await Promise.all([
    credentials.passwords(objectId),
    credentials.certificates(objectId),
  ])
  return { ...application, passwords, certificates }
}

/** A collection as it was asked for. */
export function collectionOf(request: FastifyRequest, entities: readonly Entity[]): Entity {
  const query = request.query as Readonly<Record<string, string | undefined>>
  const passing = entities.filter(parseFilter(query.$filter))
  const top = Number(query.$top ?? passing.length)
  return { value: Number.isInteger(top) && top > 0 ? passing.slice(0, top) : passing }
}

/** @throws GraphError 400 where a body is no object. */
export function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return body as Readonly<Record<string, unknown>>
  }
  throw badRequest('Unable to read JSON request payload.')
}

/** @throws GraphError 400 */
export function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  if (typeof value === 'string' && value !== '') return value
  throw badRequest(`A value is required for property '${name}' of resource.`)
}
