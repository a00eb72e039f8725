import type { Audience } from './audience.ts'
import type { Principal } from './principal.ts'
import type { Principals } from './principals.ts'
import type { Tokens } from './tokens.ts'

/** Who stands behind what a client presents; undefined for nobody. */
export interface Authenticator {
  /** By an `Authorization: Bearer …` header. */
  byHeader(
    authorization: string | undefined,
    audiences: readonly Audience[],
  ): Promise<Principal | undefined>
  byToken(jwt: string, audiences: readonly Audience[]): Promise<Principal | undefined>
  bySecret(appId: string, secret: string): Promise<Principal | undefined>
}

/** What the planes ask about a client, from principals and tokens. */
export function createAuthenticator(options: {
  principals: Pick<Principals, 'authenticate'>
  tokens: Pick<Tokens, 'verifyAccessToken'>
}): Authenticator {
  const { principals, tokens } = options
  const byToken: Authenticator['byToken'] = async (jwt, audiences) =>
    (await tokens.verifyAccessToken(jwt, audiences))?.principal
  return {
    byToken,
    async byHeader(authorization, audiences) {
      const jwt = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1]
      return jwt === undefined ? undefined : byToken(jwt, audiences)
    },
    async bySecret(appId, secret) {
      return (await principals.authenticate(appId, secret))?.principal
    },
  }
}
