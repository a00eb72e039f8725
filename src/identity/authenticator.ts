import type { Audience } from './audience.ts'
import type { Principal } from './principal.ts'
import type { Principals, SignIn } from './principals.ts'
import type { Tokens } from './tokens.ts'

/** Who stands behind what a client presents; undefined for nobody. */
export interface Authenticator {
  /** By an `Authorization: Bearer …` header. */
  byHeader(
    authorization: string | undefined,
    audiences: readonly Audience[],
  ): Promise<Principal | undefined>
  byToken(jwt: string, audiences: readonly Audience[]): Promise<SignIn | undefined>
  bySecret(appId: string, secret: string): Promise<SignIn | undefined>
}

/** What the planes ask about a client, from principals and tokens. */
export function createAuthenticator(options: {
  principals: Pick<Principals, 'authenticate'>
  tokens: Pick<Tokens, 'verifyAccessToken'>
}): Authenticator {
  const { principals, tokens } = options
  return {
    byToken: (jwt, audiences) => tokens.verifyAccessToken(jwt, audiences),
    async byHeader(authorization, audiences) {
      const jwt = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1]
      if (jwt === undefined) return undefined
      return (await tokens.verifyAccessToken(jwt, audiences))?.principal
    },
    bySecret: (appId, secret) => principals.authenticate(appId, secret),
  }
}
