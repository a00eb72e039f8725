import type { TLSSocket } from 'node:tls'
import { hostFor, originOf } from '../../lib/origin.ts'
import type { Exchange } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import type { RegistryIdentity } from '../identity.ts'
import { type Credentials, parseAuthorization, shownName } from './credentials.ts'
import { grant, narrow, permits, type Subject } from './grants.ts'
import type { RegistryTokens } from './registry-tokens.ts'
import { type Access, formatScope } from './scope.ts'

/** What a request needs: `oneOf` is enough, `scope` is what a client without it is told to ask for. */
export interface Need {
  readonly oneOf: readonly string[]
  readonly scope: Access
  /**
   * What such a client is told to ask for as well. The request does without, except where a token was not asked for it that
   * could have had it: then the client is told once more.
   */
  readonly useful?: Need
}

export const toPull = (repository: string): Need => needs(repository, ['pull'])
/** `source` is the repository that a blob is to be mounted from. */
export const toPush = (repository: string, source?: string): Need => ({
  oneOf: ['push'],
  scope: { type: 'repository', name: repository, actions: ['pull', 'push'] },
  ...(source !== undefined && { useful: toPull(source) }),
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

/** Who is asking, and what the token names that says so; a password is as good as a token for everything. */
interface Proof {
  readonly subject: Subject
  readonly token?: readonly Access[]
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

  async function prove({ request, registry, record }: Exchange): Promise<Proof | undefined> {
    const authorization = parseAuthorization(request.headers.authorization)
    if (authorization.scheme === 'bearer') {
      const claims = await tokens.verifyAccessToken(registry, authorization.token)
      if (claims) record.subject = claims.subject
      return claims && { subject: claims.subject, token: claims.access }
    }
    if (authorization.scheme === 'basic') {
      const { user, password } = authorization
      const subject = await credentials.prove(registry, user, password)
      if (subject) record.subject = subject
      else record.triedName = shownName(registry, user)
      return subject && { subject }
    }
    return undefined
  }

  /** By the roles of now, for tokens too: a right that was taken away ends with it, not with the token. */
  function isAllowed({ registry }: Exchange, { subject, token }: Proof, need: Need): boolean {
    const { scope, oneOf } = need
    const asked = token
      ? narrow(token, need)
      : [{ ...scope, actions: [...scope.actions, ...oneOf] }]
    return permits(grant(identity, registry, subject, asked), scope.type, scope.name, oneOf)
  }

  /** Whether it lacks nothing but a token that names more. */
  const isHeldBack = (exchange: Exchange, proof: Proof, need: Need): boolean =>
    proof.token !== undefined &&
    !isAllowed(exchange, proof, need) &&
    isAllowed(exchange, { subject: proof.subject }, need)

  return {
    async authorize(exchange, need) {
      const proof = await prove(exchange)
      if (proof && (!need || isAllowed(exchange, proof, need))) {
        if (!need?.useful || !isHeldBack(exchange, proof, need.useful)) return
      }
      throw unauthorized(exchange, need, proof !== undefined)
    },

    async may(exchange, need) {
      const proof = await prove(exchange)
      return proof !== undefined && isAllowed(exchange, proof, need)
    },
  }
}

function unauthorized(exchange: Exchange, need: Need | undefined, known: boolean): OciError {
  const { scope, useful } = need ?? {}
  const scopes = [scope, useful?.scope].filter((each) => each !== undefined).map(formatScope)
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
