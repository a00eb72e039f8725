import { randomUUID } from 'node:crypto'
import { type JWK, type JWTPayload, errors as joseErrors, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '../lib/clock.ts'
import { type Audience, audienceOf } from './audience.ts'
import type { Keys } from './keys.ts'
import type { Principal } from './principal.ts'
import type { Principals, SignIn } from './principals.ts'
import { userPrincipalName } from './user-name.ts'

/** What a verified access token says. */
export interface AccessClaims {
  readonly principal: Principal
  /** What obtained it. */
  readonly credential: string
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
  /** What a person's client keeps besides: who they are, and how to get the next token. */
  issueUserTokens(request: {
    readonly signIn: SignIn
    readonly clientId: string
    readonly nonce?: string | undefined
  }): Promise<{
    readonly id_token: string
    readonly refresh_token: string
    readonly client_info: string
  }>
  /** Who signed in; undefined for a token that is none, has ended, or was another client's. */
  verifyRefreshToken(jwt: string, clientId: string): Promise<SignIn | undefined>
  /** The keys that verify our tokens, as published. */
  readonly publicKeys: { readonly keys: readonly JWK[] }
}

const ALGORITHM = 'RS256'
const CREDENTIAL = 'cred'
/** No resource has this name: a refresh token opens nothing by itself. */
const REFRESH = 'refresh'
const ID_SECONDS = 3600
const REFRESH_SECONDS = 90 * 24 * 3600

const personOf = ({ displayName }: Principal) => ({
  name: displayName,
  upn: userPrincipalName(displayName),
  unique_name: userPrincipalName(displayName),
  preferred_username: userPrincipalName(displayName),
})

/** Access tokens with the claims of the real authority's version 1.0, which is what ARM gets. */
export function createTokens(options: {
  keys: Keys
  clock: Clock
  /** The operator's own names of the control plane. */
  hostNames?: readonly string[]
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
      const { appId, objectId, kind } = signIn.principal
      const claims = {
        appid: appId,
        appidacr: '1',
        idp: issuer,
        idtyp: kind === 'User' ? 'user' : 'app',
        ...(kind === 'User' && { ...personOf(signIn.principal), scp: 'user_impersonation' }),
        oid: objectId,
        sub: objectId,
        tid: tenantId,
        uti: randomUUID(),
        ver: '1.0',
        [CREDENTIAL]: signIn.credential,
      }
      return sign(claims, audience, lifetimeSeconds)
    },

    async issueUserTokens({ signIn, clientId, nonce }) {
      const { objectId } = signIn.principal
      const own = { oid: objectId, sub: objectId, tid: tenantId }
      const person = personOf(signIn.principal)
      const said = { ...own, ...person, ver: '2.0', ...(nonce !== undefined && { nonce }) }
      const kept = { ...own, client: clientId, [CREDENTIAL]: signIn.credential }
      const info = JSON.stringify({ uid: objectId, utid: tenantId })
      return {
        id_token: await sign(said, clientId, ID_SECONDS),
        refresh_token: await sign(kept, REFRESH, REFRESH_SECONDS),
        client_info: Buffer.from(info).toString('base64url'),
      }
    },

    async verifyRefreshToken(jwt, clientId) {
      const { aud, oid, client, [CREDENTIAL]: credential } = (await verify(jwt)) ?? {}
      if (aud !== REFRESH || client !== clientId || typeof credential !== 'string') return undefined
      const principal = await principals.byCredential(credential)
      return principal && principal.objectId === oid ? { principal, credential } : undefined
    },

    async verifyAccessToken(jwt, audiences) {
      const payload = await verify(jwt)
      const { aud, exp, oid, [CREDENTIAL]: credential } = payload ?? {}
      if (typeof aud !== 'string' || typeof credential !== 'string' || !exp) return undefined
      const audience = audienceOf(aud, options.hostNames)
      if (!audience || !audiences.includes(audience)) return undefined
      const principal = await principals.byCredential(credential)
      if (!principal || principal.objectId !== oid) return undefined
      return { principal, credential, audience, expiresAt: exp }
    },
  }

  function sign(claims: JWTPayload, audience: string, lifetimeSeconds: number): Promise<string> {
    const now = Math.floor(clock.now().getTime() / 1000)
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + lifetimeSeconds)
      .sign(privateKey)
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
