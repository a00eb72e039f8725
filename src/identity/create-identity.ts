import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Clock } from '../lib/clock.ts'
import type { Database } from '../storage/database.ts'
import { type Applications, createApplications } from './applications.ts'
import { type Authenticator, createAuthenticator } from './authenticator.ts'
import { createAuthority } from './authority.ts'
import { createClientAssertions } from './client-assertion.ts'
import { type Credentials, createCredentials } from './credentials.ts'
import type { Keys } from './keys.ts'
import type { Principals } from './principals.ts'
import { createTokens, type Tokens } from './tokens.ts'

/** Who there is, what they sign in with, and the authority at which they do. */
export interface Identity {
  readonly applications: Applications
  readonly credentials: Credentials
  readonly tokens: Tokens
  readonly authenticator: Authenticator
  /** Ready for `routing`. */
  readonly authority: FastifyInstance
}

/** Puts the parts of identity together that stand on principals. */
export async function createIdentity(options: {
  readonly database: Database
  readonly principals: Principals
  readonly keys: Keys
  readonly tenantId: string
  /** The operator's own names of the control plane. */
  readonly hostNames?: readonly string[]
  readonly clock: Clock
  readonly log: FastifyBaseLogger
}): Promise<Identity> {
  const { principals } = options
  const credentials = createCredentials(options)
  const tokens = createTokens(options)
  const assertions = createClientAssertions({ ...options, credentials })
  return {
    applications: createApplications(options),
    credentials,
    tokens,
    authenticator: createAuthenticator({ principals, tokens }),
    authority: await createAuthority({ ...options, assertions, tokens }),
  }
}
