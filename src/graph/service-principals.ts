import type { Application } from '../identity/applications.ts'
import { patchCertificates } from './applications.ts'
import {
  collectionOf,
  type GraphRoutes,
  objectOf,
  register,
  requireApplication,
  requireManager,
  textOf,
  type WithId,
} from './directory.ts'
import { showServicePrincipal } from './entities.ts'
import { badRequest, GraphError } from './graph-error.ts'
import { passwordRoutes } from './password-routes.ts'

/** https://learn.microsoft.com/graph/api/resources/serviceprincipal */
export const servicePrincipalRoutes: GraphRoutes = (app, options) => {
  const { applications, tenantId } = options
  const hasId = (id: string) => (one: Application) =>
    one.isEnrolled && one.objectId === id.toLowerCase()
  const find = (id: string) => requireApplication(options, id, hasId(id))
  const show = async (one: Application) =>
    showServicePrincipal(await register(one, options), tenantId)

  app.get('/servicePrincipals', async (request) => {
    const enrolled = (await applications.list()).filter(({ isEnrolled }) => isEnrolled)
    return collectionOf(request, await Promise.all(enrolled.map(show)))
  })
  app.get<WithId>('/servicePrincipals/:id', async (request) => show(await find(request.params.id)))

  app.post('/servicePrincipals', async (request, reply) => {
    requireManager(request, options)
    const appId = textOf(objectOf(request.body), 'appId').toLowerCase()
    const one = (await applications.list()).find((each) => each.appId === appId)
    if (!one) {
      throw badRequest(
        `The appId '${appId}' of the service principal does not reference a valid application object.`,
      )
    }
    if (one.isEnrolled) throw alreadyThere(appId)
    await applications.enroll(one.id)
    return reply.code(201).send(await show({ ...one, isEnrolled: true }))
  })

  app.patch<WithId>('/servicePrincipals/:id', async (request, reply) => {
    const one = await find(request.params.id)
    requireManager(request, options, one)
    await patchCertificates(one, objectOf(request.body), options)
    return reply.code(204).send()
  })

  app.delete<WithId>('/servicePrincipals/:id', async (request, reply) => {
    const one = await find(request.params.id)
    requireManager(request, options, one)
    await options.removeRoles(one.objectId)
    await applications.withdraw(one.id)
    return reply.code(204).send()
  })

  app.get<WithId>('/servicePrincipals/:id/owners', async (request) => {
    await find(request.params.id)
    return { value: [] }
  })
  passwordRoutes(app, options, { path: '/servicePrincipals', hasId })
}

const alreadyThere = (appId: string): GraphError =>
  new GraphError(
    409,
    'Request_MultipleObjectsWithSameKeyValue',
    `The service principal cannot be created, updated, or restored because the service principal name ${appId} is already in use.`,
  )
