import { randomUUID } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import type { Application } from '../identity/applications.ts'
import type { FederatedCredential } from '../identity/credentials.ts'
import {
  collectionOf,
  type GraphRoutes,
  objectOf,
  requireApplication,
  requireManager,
  textOf,
} from './directory.ts'
import { showFederated } from './entities.ts'
import { badRequest, GraphError, notFound } from './graph-error.ts'

const PATH = '/applications/:id/federatedIdentityCredentials'
type Named = { Params: { id: string; name: string } }

/**
 * https://learn.microsoft.com/graph/api/resources/federatedidentitycredential, with one member more: `jwks`, the
 * issuer's keys, since the issuer cannot be asked for them.
 */
export const federatedCredentialRoutes: GraphRoutes = (app, options) => {
  const { credentials } = options
  const find = (id: string) =>
    requireApplication(options, id, (one: Application) => one.id === id.toLowerCase())
  const findOne = async ({ id, name }: Named['Params']) => {
    const application = await find(id)
    const known = await credentials.federated(application.objectId)
    const found = known.find((each) => each.id === name || each.name === name)
    if (!found) throw notFound(name)
    return { application, found }
  }

  app.get<Named>(PATH, async (request) => {
    const { objectId } = await find(request.params.id)
    return collectionOf(request, (await credentials.federated(objectId)).map(showFederated))
  })
  app.get<Named>(`${PATH}/:name`, async (request) =>
    showFederated((await findOne(request.params)).found),
  )

  app.post<Named>(PATH, async (request, reply) => {
    const application = await find(request.params.id)
    requireManager(request, options, application)
    const made = { id: randomUUID(), ...parse(objectOf(request.body)) }
    const others = await credentials.federated(application.objectId)
    if (others.some((each) => each.name === made.name || isSameSubject(each, made))) {
      throw new GraphError(
        409,
        'Request_MultipleObjectsWithSameKeyValue',
        'FederatedIdentityCredential with the same name, or the same issuer and subject, already exists.',
      )
    }
    await credentials.putFederated(application.objectId, made)
    return reply.code(201).send(showFederated(made))
  })

  app.patch<Named>(`${PATH}/:name`, async (request, reply) => {
    const { application, found } = await findOne(request.params)
    requireManager(request, options, application)
    const changed = parse({
      ...found,
      jwks: found.keys,
      ...objectOf(request.body),
      name: found.name,
    })
    await credentials.putFederated(application.objectId, { id: found.id, ...changed })
    return reply.code(204).send()
  })

  app.delete<Named>(`${PATH}/:name`, async (request, reply) => {
    const { application, found } = await findOne(request.params)
    requireManager(request, options, application)
    await credentials.removeFederated(application.objectId, found.id)
    return reply.code(204).send()
  })
}

const isSameSubject = (a: FederatedCredential, b: FederatedCredential): boolean =>
  a.issuer === b.issuer && a.subject === b.subject

function parse(body: Readonly<Record<string, unknown>>): Omit<FederatedCredential, 'id'> {
  const { audiences, description } = body
  const [audience, ...more] = Array.isArray(audiences) ? audiences : []
  if (typeof audience !== 'string' || more.length > 0) {
    throw badRequest("Property 'audiences' must hold one text.")
  }
  return {
    name: textOf(body, 'name'),
    issuer: textOf(body, 'issuer'),
    subject: textOf(body, 'subject'),
    audiences: [audience],
    description: typeof description === 'string' ? description : null,
    keys: keysOf(body.jwks),
  }
}

function keysOf(jwks: unknown): JSONWebKeySet {
  const keys = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : undefined
  if (Array.isArray(keys) && keys.length > 0 && keys.every(isPublicKey)) return { keys }
  throw badRequest(
    "Property 'jwks' must hold the issuer's public keys, a JWK set: the issuer cannot be asked for them here.",
  )
}

const isPublicKey = (key: unknown): boolean =>
  typeof key === 'object' &&
  key !== null &&
  'kty' in key &&
  (key.kty === 'RSA' || key.kty === 'EC') &&
  !('d' in key)
