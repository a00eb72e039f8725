import { randomUUID } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import type { RegistryIdentity } from '../identity.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import type { Subject } from './grants.ts'
import { isStillProven } from './passwords.ts'
import type { Access } from './scope.ts'

/** Docker keeps it as an identity token; every short-lived access token is got with it. */
const REFRESH_TOKEN_SECONDS = 3 * 60 * 60
const ACCESS_TOKEN_SECONDS = 75 * 60
const ISSUER = 'Azure Container Registry'
/** Tokens whose signature was checked already; a client uses one for many requests. */
const VERIFIED_TOKENS_MAX = 2000

export interface RegistryTokens {
  issueRefreshToken(registry: RegistryFacts, subject: Subject): Promise<string>
  issueAccessToken(
    registry: RegistryFacts,
    subject: Subject,
    access: readonly Access[],
  ): Promise<string>
  /** Undefined where it is garbled, expired, of another kind or for another registry, or what it was got with has ended. */
  verifyRefreshToken(registry: RegistryFacts, token: string): Promise<Subject | undefined>
  verifyAccessToken(
    registry: RegistryFacts,
    token: string,
  ): Promise<{ readonly access: readonly Access[]; readonly subject: Subject } | undefined>
}

interface Claims extends JWTPayload {
  readonly rid?: string
  readonly grant_type?: string
  readonly access?: readonly Access[]
  readonly subject?: Subject
}

/** Issues and checks a registry's own tokens. They bind the registry's uid: one of the same name later refuses them. */
export function createRegistryTokens(options: {
  readonly key: Buffer
  readonly clock: Clock
  readonly tenantId: string
  readonly identity: Pick<RegistryIdentity, 'byCredential'>
}): RegistryTokens {
  const { key, clock, tenantId, identity } = options
  const verified = new Map<string, Claims>()
  const now = () => Math.floor(clock.now().getTime() / 1000)

  const sign = (registry: RegistryFacts, subject: Subject, seconds: number, claims: Claims) =>
    new SignJWT({ version: '1.0', rid: registry.uid, tenant: tenantId, subject, ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setJti(randomUUID())
      .setSubject(nameOf(subject))
      .setIssuer(ISSUER)
      .setAudience(registry.loginServer)
      .setIssuedAt(now())
      .setNotBefore(now())
      .setExpirationTime(now() + seconds)
      .sign(key)

  async function verify(registry: RegistryFacts, token: string): Promise<Claims | undefined> {
    const claims = verified.get(token) ?? (await check(token))
    if (!claims) return undefined
    // Looked at on every request, known signature or not.
    if ((claims.exp ?? 0) <= now()) return undefined
    if (claims.rid !== registry.uid || claims.aud !== registry.loginServer) return undefined
    return claims
  }

  /** Who it is about, as they are now. */
  async function subjectNow(
    registry: RegistryFacts,
    subject: Subject | undefined,
  ): Promise<Subject | undefined> {
    if (!subject) return undefined
    if (subject.kind === 'anonymous') return registry.anonymousPull ? subject : undefined
    // A token of an earlier version says nothing of a credential.
    if (!subject.credential) return undefined
    if (subject.kind !== 'principal') {
      return isStillProven(registry, subject, clock.now()) ? subject : undefined
    }
    const principal = await identity.byCredential(subject.credential)
    return principal?.objectId === subject.principal.objectId
      ? { ...subject, principal }
      : undefined
  }

  async function check(token: string): Promise<Claims | undefined> {
    try {
      const { payload } = await jwtVerify<Claims>(token, key, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        currentDate: clock.now(),
      })
      const [oldest] = verified.keys()
      if (verified.size >= VERIFIED_TOKENS_MAX && oldest) verified.delete(oldest)
      verified.set(token, payload)
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
  }

  return {
    issueRefreshToken: (registry, subject) =>
      sign(registry, subject, REFRESH_TOKEN_SECONDS, {
        grant_type: 'refresh_token',
        permissions: { actions: ['read', 'write', 'delete'], notActions: [] },
        roles: [],
      }),

    issueAccessToken: (registry, subject, access) =>
      sign(registry, subject, ACCESS_TOKEN_SECONDS, {
        grant_type: 'access_token',
        access,
        roles: [],
      }),

    async verifyRefreshToken(registry, token) {
      const claims = await verify(registry, token)
      if (claims?.grant_type !== 'refresh_token') return undefined
      return subjectNow(registry, claims.subject)
    },

    async verifyAccessToken(registry, token) {
      const claims = await verify(registry, token)
      if (claims?.grant_type !== 'access_token') return undefined
      const subject = await subjectNow(registry, claims.subject)
      return subject && { access: claims.access ?? [], subject }
    },
  }
}

const nameOf = (subject: Subject): string => {
  if (subject.kind === 'principal') return subject.principal.objectId
  return subject.kind === 'anonymous' ? 'anonymous' : subject.username
}
