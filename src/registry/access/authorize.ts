import type { TLSSocket } from 'node:tls'
import { hostFor, originOf } from '../../lib/origin.ts'
import type { Exchange } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import type { RegistryIdentity } from '../identity.ts'
import { type Credentials, parseAuthorization, shownName } from './credentials.ts'
import { grant, narrow, permits } from './grants.ts'
import type { RegistryTokens } from './registry-tokens.ts'
import { type Access, formatScope } from './scope.ts'

/** What a request needs: `oneOf` is enough, `scope` is what a client without it is told to ask for. */
export interface Need {
  readonly oneOf: readonly string[]
  readonly scope: Access
  /** What such a client is told to ask for as well; the request does without. */
  readonly useful?: Access
}

export const toPull = (repository: string): Need => needs(repository, ['pull'])
/** `source` is the repository that a blob is to be mounted from. */
export const toPush = (repository: string, source?: string): Need => ({
  oneOf: ['push'],
  scope: { type: 'repository', name: repository, actions: ['pull', 'push'] },
  ...(source !== undefined && {
    useful: { type: 'repository', name: source, actions: ['pull'] },
  }),
})
export const toDelete = (repository: string): Need => needs(repository, ['delete'])
export const toReadMetadata = (repository: string): Need => needs(repository, ['metadata_read'])
export const toWriteMetadata = (repository: string): Need => needs(repository, ['metadata_write'])
export const toListTags = (repository: string): Need => ({
  ...toPull(repository),
  oneOf: ['pull', 'metadata_read'],
})
export const toReadDeleted = (repository: string): Need => needs(repository, ['deleted_read'])
/** Whoever restores reads what there is first. */
export const toRestore = (repository: string): Need => ({
  oneOf: ['deleted_restore'],
  scope: {
    type: 'repository',
    name: repository,
    actions: ['deleted_read', 'deleted_restore'],
  },
})
export const TO_LIST_DELETED: Need = {
  oneOf: ['*'],
  scope: { type: 'registry', name: 'deleted_catalog', actions: ['*'] },
}
export const TO_LIST_CATALOG: Need = {
  oneOf: ['*'],
  scope: { type: 'registry', name: 'catalog', actions: ['*'] },
}

function needs(repository: string, actions: readonly string[]): Need {
  return { oneOf: actions, scope: { type: 'repository', name: repository, actions } }
}

export interface Authorizer {
  /** Lets a request pass that has what it needs; without a need, everybody who is known. @throws OciError UNAUTHORIZED with a challenge */
  authorize(exchange: Exchange, need: Need | undefined): Promise<void>
  /** Whether it could also do something else; never throws for lack of rights. */
  may(exchange: Exchange, need: Need): Promise<boolean>
}

export function createAuthorizer(options: {
  readonly identity: RegistryIdentity
  readonly tokens: RegistryTokens
  readonly credentials: Credentials
}): Authorizer {
  const { identity, tokens, credentials } = options

  /** What the request's credentials allow of what it needs; undefined where they prove nothing. */
  async function accessOf(
    { request, registry, record }: Exchange,
    need: Need | undefined,
  ): Promise<readonly Access[] | undefined> {
    const authorization = parseAuthorization(request.headers.authorization)
    if (authorization.scheme === 'bearer') {
      const claims = await tokens.verifyAccessToken(registry, authorization.token)
      if (claims) record.subject = claims.subject
      // Once more, by the roles of now: a right that was taken away ends with it, not with the token.
      return (
        claims && grant(identity, registry, claims.subject, need ? narrow(claims.access, need) : [])
      )
    }
    if (authorization.scheme === 'basic') {
      const { user, password } = authorization
      const subject = await credentials.prove(registry, user, password)
      if (subject) record.subject = subject
      else record.triedName = shownName(registry, user)
      return subject && grant(identity, registry, subject, need ? [asked(need)] : [])
    }
    return undefined
  }

  const asked = ({ scope, oneOf }: Need) => ({ ...scope, actions: [...scope.actions, ...oneOf] })
  const has = (access: readonly Access[], { scope, oneOf }: Need) =>
    permits(access, scope.type, scope.name, oneOf)

  return {
    async authorize(exchange, need) {
      const access = await accessOf(exchange, need)
      if (access && (!need || has(access, need))) return
      throw unauthorized(exchange, need, access !== undefined)
    },

    async may(exchange, need) {
      const access = await accessOf(exchange, need)
      return access !== undefined && has(access, need)
    },
  }
}

function unauthorized(exchange: Exchange, need: Need | undefined, known: boolean): OciError {
  const { scope, useful } = need ?? {}
  const scopes = [scope, useful].filter((each) => each !== undefined).map(formatScope)
  const { request, registry } = exchange
  const scheme = (request.socket as Partial<TLSSocket>).encrypted ? 'https' : 'http'
  // az reads nothing after a blank in this header.
  const parts = [
    `realm="${scheme}://${hostFor(originOf(request), registry.loginServer)}/oauth2/token"`,
    `service="${registry.loginServer}"`,
    ...(scopes.length > 0 ? [`scope="${scopes.join(' ')}"`] : []),
    ...(known ? ['error="insufficient_scope"'] : []),
    ...(!known && request.headers.authorization ? ['error="invalid_token"'] : []),
  ]
  const detail =
    scope?.actions.map((action) => ({ Type: scope.type, Name: scope.name, Action: action })) ?? null
  return new OciError('UNAUTHORIZED', detail, {
    headers: { 'WWW-Authenticate': `Bearer ${parts.join(',')}` },
  })
}
