import { asker, collectionOf, type GraphRoutes, type WithId } from './directory.ts'
import { showUser } from './entities.ts'
import { GraphError, notFound } from './graph-error.ts'

/** https://learn.microsoft.com/graph/api/resources/user */
export const userRoutes: GraphRoutes = (app, { principals }) => {
  const users = async () =>
    (await principals.list()).filter(({ kind }) => kind === 'User').map(showUser)

  app.get('/me', async (request) => {
    const principal = asker.get(request)
    if (principal?.kind === 'User') return showUser(principal)
    throw new GraphError(
      400,
      'BadRequest',
      '/me request is only valid with delegated authentication flow.',
    )
  })
  app.get('/me/ownedObjects', async () => ({ value: [] }))
  app.get('/users', async (request) => collectionOf(request, await users()))
  app.get<WithId>('/users/:id', async (request) => {
    const wanted = request.params.id.toLowerCase()
    const user = (await users()).find((each) =>
      [each.id, each.userPrincipalName].some((key) => String(key).toLowerCase() === wanted),
    )
    if (!user) throw notFound(request.params.id)
    return user
  })
}
