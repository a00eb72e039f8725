import { randomUUID } from 'node:crypto'
import { type JWK, errors as joseErrors, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '../lib/clock.ts'
import { type Audience, audienceOf } from './audience.ts'
import type { Keys } from './keys.ts'
import type { Principal } from './principal.ts'
import type { Principals, SignIn } from './principals.ts'

/** What a verified access token says. */
export interface AccessClaims {
  readonly principal: Principal
  readonly audience: Audience
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export interface Tokens {
  /** A JWT for `audience`, a resource id as the client wrote it, that ends with the credential at the latest. */
  issueAccessToken(request: {
    readonly signIn: SignIn
    readonly audience: string
    readonly lifetimeSeconds: number
  }): Promise<string>
  /** Undefined for a token that is not ours, has expired, is for somebody else, or whose credential is gone. */
  verifyAccessToken(jwt: string, audiences: readonly Audience[]): Promise<AccessClaims | undefined>
  /** The keys that verify our tokens, as published. */
  readonly publicKeys: { readonly keys: readonly JWK[] }
}

const ALGORITHM = 'RS256'
const CREDENTIAL = 'cred'

/** Access tokens with the claims of the real authority's version 1.0, which is what ARM gets. */
export function createTokens(options: {
  keys: Keys
  clock: Clock
  tenantId: string
  principals: Pick<Principals, 'byCredential'>
}): Tokens {
  const { clock, tenantId, principals } = options
  const { privateKey, publicKey, kid, publicJwk } = options.keys.signing
  // Not the address of the authority: a token outlives a change of port.
  const issuer = `https://sts.windows.net/${tenantId}/`

  return {
    publicKeys: { keys: [publicJwk] },

    issueAccessToken({ signIn, audience, lifetimeSeconds }) {
      const now = Math.floor(clock.now().getTime() / 1000)
      const { appId, objectId, kind } = signIn.principal
      return new SignJWT({
        appid: appId,
        appidacr: '1',
        idp: issuer,
        idtyp: kind === 'User' ? 'user' : 'app',
        oid: objectId,
        sub: objectId,
        tid: tenantId,
        uti: randomUUID(),
        ver: '1.0',
        [CREDENTIAL]: signIn.credential,
      })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + lifetimeSeconds)
        .sign(privateKey)
    },

    async verifyAccessToken(jwt, audiences) {
      const payload = await verify(jwt)
      const { aud, exp, oid, [CREDENTIAL]: credential } = payload ?? {}
      if (typeof aud !== 'string' || typeof credential !== 'string' || !exp) return undefined
      const audience = audienceOf(aud)
      if (!audience || !audiences.includes(audience)) return undefined
      const principal = await principals.byCredential(credential)
      if (!principal || principal.objectId !== oid) return undefined
      return { principal, audience, expiresAt: exp }
    },
  }

  async function verify(jwt: string) {
    try {
      const { payload } = await jwtVerify(jwt, publicKey, {
        algorithms: [ALGORITHM],
        issuer,
        requiredClaims: ['exp', 'aud', 'oid'],
        currentDate: clock.now(),
      })
      return payload
    } catch (error) {
      if (error instanceof joseErrors.JOSEError) return undefined
      throw error
    }
  }
}
