import { createHash, type X509Certificate } from 'node:crypto'
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JWTPayload,
  errors as joseErrors,
  jwtVerify,
} from 'jose'
import type { Clock } from '../lib/clock.ts'
import { AuthorityError } from './authority-error.ts'
import type { Credentials } from './credentials.ts'
import type { Principal } from './principal.ts'
import type { Principals, SignIn } from './principals.ts'

const LIFETIME_SECONDS_MAX = 24 * 3600
// Clocks of clients are rarely exact.
const TOLERANCE_SECONDS = 300
const CERTIFICATE_ALGORITHMS = ['RS256', 'PS256']
const FEDERATED_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384']

/** What clients sign in with in place of a secret: a JWT that they signed, or that somebody else signed about them. */
export interface ClientAssertions {
  /** `isOurs` says whether an audience is the authority. @throws AuthorityError */
  verify(
    appId: string,
    assertion: string,
    isOurs: (audience: string) => boolean,
  ): Promise<SignIn | undefined>
}

/**
 * Checks assertions: one that names the client as its issuer must be signed by the key of a registered certificate, be
 * meant for this authority, and end soon; any other must match a federated credential.
 */
export function createClientAssertions(options: {
  readonly principals: Pick<Principals, 'byAppId'>
  readonly credentials: Pick<Credentials, 'certificates' | 'federated'>
  readonly clock: Clock
}): ClientAssertions {
  const { principals, credentials, clock } = options
  async function byCertificate(
    principal: Principal,
    assertion: string,
    isOurs: (audience: string) => boolean,
  ): Promise<SignIn> {
    const found = (await credentials.certificates(principal.objectId)).find(({ certificate }) =>
      isThumbprint(assertion, certificate),
    )
    if (!found) throw certificateUnknown()
    const now = clock.now().toISOString()
    const [start, end] = [found.startsAt ?? '', found.expiresAt ?? '']
    if (now < start || now >= end) throw outOfTime()
    const payload = await read(assertion, found.certificate.publicKey, CERTIFICATE_ALGORITHMS)
    if (payload.sub !== payload.iss) throw wrongClient()
    const audiences = [payload.aud ?? []].flat()
    if (audiences.length === 0 || !audiences.every(isOurs)) throw wrongAudience()
    checkEnd(payload)
    return { principal, credential: found.id }
  }

  async function byFederation(
    principal: Principal,
    assertion: string,
    said: JWTPayload,
  ): Promise<SignIn> {
    const audiences = [said.aud ?? []].flat()
    const found = (await credentials.federated(principal.objectId)).find(
      ({ issuer, subject, audiences: wanted }) =>
        issuer === said.iss &&
        subject === said.sub &&
        wanted.some((audience) => audiences.includes(audience)),
    )
    if (!found) throw noFederation(said)
    await read(assertion, createLocalJWKSet(found.keys), FEDERATED_ALGORITHMS)
    return { principal, credential: found.id }
  }

  async function read(
    assertion: string,
    key: Parameters<typeof jwtVerify>[1] | X509Certificate['publicKey'],
    algorithms: string[],
  ): Promise<JWTPayload> {
    const rules = {
      algorithms,
      requiredClaims: ['exp', 'iss', 'sub', 'aud'],
      currentDate: clock.now(),
      clockTolerance: TOLERANCE_SECONDS,
    }
    try {
      // One signature takes a key, the other a way to find it.
      const { payload } =
        typeof key === 'function'
          ? await jwtVerify(assertion, key, rules)
          : await jwtVerify(assertion, key, rules)
      return payload
    } catch (error) {
      if (error instanceof joseErrors.JWTExpired) throw outOfTime()
      if (error instanceof joseErrors.JWTClaimValidationFailed) throw outOfTime()
      if (error instanceof joseErrors.JOSEError) throw wrongSignature()
      throw error
    }
  }

  // Not once only: clients show one assertion for every resource that they want a token for, until it ends.
  function checkEnd({ exp = 0 }: JWTPayload): void {
    const now = clock.now().getTime() / 1000
    if (exp > now + LIFETIME_SECONDS_MAX + TOLERANCE_SECONDS) throw outOfTime()
  }

  return {
    async verify(appId, assertion, isOurs) {
      const said = decode(assertion)
      const principal = await principals.byAppId(appId)
      if (!principal) return undefined
      const isOwn = said.iss?.toLowerCase() === principal.appId
      return isOwn
        ? byCertificate(principal, assertion, isOurs)
        : byFederation(principal, assertion, said)
    },
  }
}

function decode(assertion: string): JWTPayload {
  try {
    const { iss, sub, ...others }: Readonly<Record<string, unknown>> = decodeJwt(assertion)
    // Nothing is verified yet: what is not even of the right kind goes no further.
    return { ...others, iss: textOf(iss, 'iss'), sub: textOf(sub, 'sub') } as JWTPayload
  } catch (error) {
    throw malformed((error as Error).message)
  }
}

function textOf(claim: unknown, name: string): string | undefined {
  if (claim === undefined || typeof claim === 'string') return claim
  throw new Error(`'${name}' is no text`)
}

/** Whether the header names this certificate, by SHA-1 or SHA-256. */
function isThumbprint(assertion: string, certificate: X509Certificate): boolean {
  const { x5t, 'x5t#S256': x5tS256 } = headerOf(assertion)
  const is = (name: unknown, algorithm: string) =>
    typeof name === 'string' &&
    Buffer.from(name, 'base64url').equals(createHash(algorithm).update(certificate.raw).digest())
  return is(x5t, 'sha1') || is(x5tS256, 'sha256')
}

function headerOf(assertion: string): Readonly<Record<string, unknown>> {
  try {
    return decodeProtectedHeader(assertion) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw malformed((error as Error).message)
  }
}

// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
const refuse = (code: number, text: string) => new AuthorityError(401, 'invalid_client', code, text)

const malformed = (why: string) => refuse(50027, `JWT token is invalid or malformed: ${why}.`)
const wrongSignature = () => refuse(50013, 'Assertion failed signature validation.')
const outOfTime = () => refuse(700024, 'Client assertion is not within its valid time range.')
const wrongClient = () =>
  refuse(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
const wrongAudience = () =>
  refuse(700023, 'Client assertion audience claim does not match Realm issuer.')
const certificateUnknown = () =>
  refuse(
    700027,
    'The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]',
  )
const noFederation = ({ iss, sub, aud }: JWTPayload) =>
  refuse(
    70021,
    `No matching federated identity record found for presented assertion. Assertion Issuer: '${iss}'. Assertion Subject: '${sub}'. Assertion Audience: '${aud}'.`,
  )
