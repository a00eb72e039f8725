import { X509Certificate } from 'node:crypto'
import type { Application } from '../identity/applications.ts'
import { type Certificate, certificateOf } from '../identity/credentials.ts'
import {
  collectionOf,
  type GraphOptions,
  type GraphRoutes,
  objectOf,
  register,
  requireApplication,
  requireManager,
  textOf,
  type WithId,
} from './directory.ts'
import { showApplication } from './entities.ts'
import { badRequest } from './graph-error.ts'
import { passwordRoutes, timeOf } from './password-routes.ts'

/** https://learn.microsoft.com/graph/api/resources/application */
export const applicationRoutes: GraphRoutes = (app, options) => {
  const { applications, credentials } = options
  const hasId = (id: string) => (one: Application) => one.id === id.toLowerCase()
  const find = (id: string) => requireApplication(options, id, hasId(id))
  const show = async (one: Application) => showApplication(await register(one, options))

  app.get('/applications', async (request) =>
    collectionOf(request, await Promise.all((await applications.list()).map(show))),
  )
  app.get<WithId>('/applications/:id', async (request) => show(await find(request.params.id)))

  app.post('/applications', async (request, reply) => {
    requireManager(request, options)
    const body = objectOf(request.body)
    const certificates = certificatesOf(body.keyCredentials ?? [], [])
    const created = await applications.create(textOf(body, 'displayName'))
    await credentials.setCertificates(created.objectId, certificates)
    return reply.code(201).send(await show(created))
  })

  app.patch<WithId>('/applications/:id', async (request, reply) => {
    const one = await find(request.params.id)
    requireManager(request, options, one)
    const body = objectOf(request.body)
    await patchCertificates(one, body, options)
    if (body.displayName !== undefined) {
      await applications.rename(one.id, textOf(body, 'displayName'))
    }
    return reply.code(204).send()
  })

  app.delete<WithId>('/applications/:id', async (request, reply) => {
    const one = await find(request.params.id)
    requireManager(request, options, one)
    await options.removeRoles(one.objectId)
    await applications.delete(one.id)
    return reply.code(204).send()
  })

  app.get<WithId>('/applications/:id/owners', async (request) => {
    await find(request.params.id)
    return { value: [] }
  })
  passwordRoutes(app, options, { path: '/applications', hasId })
}

/** What a PATCH says of certificates: all that are to be; those it names by id alone stay. */
export async function patchCertificates(
  one: Application,
  body: Readonly<Record<string, unknown>>,
  { credentials }: GraphOptions,
): Promise<void> {
  if (body.keyCredentials === undefined) return
  const present = await credentials.certificates(one.objectId)
  await credentials.setCertificates(one.objectId, certificatesOf(body.keyCredentials, present))
}

function certificatesOf(value: unknown, present: readonly Certificate[]): readonly Certificate[] {
  if (!Array.isArray(value)) throw badRequest("Property 'keyCredentials' must be a collection.")
  return value.map((each) => {
    const said = objectOf(each)
    const kept = present.find(({ id }) => id === said.keyId)
    if (kept && (said.key === undefined || said.key === null)) return kept
    const made = certificateOf(parseCertificate(textOf(said, 'key')))
    const [start, end] = [timeOf(said.startDateTime), timeOf(said.endDateTime)]
    return {
      ...made,
      displayName: typeof said.displayName === 'string' ? said.displayName : null,
      startsAt: start?.toISOString() ?? made.startsAt,
      expiresAt: end?.toISOString() ?? made.expiresAt,
    }
  })
}

function parseCertificate(base64: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'))
  } catch (error) {
    throw badRequest(`Key credential has an invalid value: ${(error as Error).message}`)
  }
}
