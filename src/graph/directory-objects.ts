import { type GraphRoutes, objectOf, register } from './directory.ts'
import { showServicePrincipal, showUser } from './entities.ts'
import { badRequest } from './graph-error.ts'

const IDS_MAX = 1000

/** https://learn.microsoft.com/graph/api/directoryobject-getbyids */
export const directoryObjectRoutes: GraphRoutes = (app, options) => {
  const { applications, principals, tenantId } = options

  app.post('/directoryObjects/getByIds', async (request) => {
    const { ids, types } = objectOf(request.body)
    if (!Array.isArray(ids) || ids.length > IDS_MAX) {
      throw badRequest(`Property 'ids' must be a collection of at most ${IDS_MAX} ids.`)
    }
    const wanted = new Set(ids.map((id) => String(id).toLowerCase()))
    const isAsked = (type: string) =>
      !Array.isArray(types) || types.some((each) => each === type || each === 'directoryObject')
    const enrolled = (await applications.list()).filter((one) => one.isEnrolled)
    const registrations = await Promise.all(
      enrolled
        .filter(({ objectId }) => isAsked('servicePrincipal') && wanted.has(objectId))
        .map((one) => register(one, options)),
    )
    const users = (await principals.list()).filter(
      ({ kind, objectId }) => kind === 'User' && isAsked('user') && wanted.has(objectId),
    )
    return {
      value: [
        ...registrations.map((one) => ({
          '@odata.type': '#microsoft.graph.servicePrincipal',
          ...showServicePrincipal(one, tenantId),
        })),
        ...users.map((one) => ({ '@odata.type': '#microsoft.graph.user', ...showUser(one) })),
      ],
    }
  })
}
