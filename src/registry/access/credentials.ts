import type { Clock } from '../../lib/clock.ts'
import type { RegistryIdentity } from '../identity.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import type { Subject } from './grants.ts'
import { provePassword } from './passwords.ts'
import type { RegistryTokens } from './registry-tokens.ts'

/** The user name that says: the password is a refresh token. https://aka.ms/acr/authorization */
const TOKEN_USER = '00000000-0000-0000-0000-000000000000'

export type Authorization =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'bearer'; readonly token: string }
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }
  | { readonly scheme: 'unknown' }

export function parseAuthorization(header: string | undefined): Authorization {
  if (!header) return { scheme: 'none' }
  const blank = header.indexOf(' ')
  const scheme = (blank < 0 ? header : header.slice(0, blank)).toLowerCase()
  const value = blank < 0 ? '' : header.slice(blank).trim()
  if (scheme === 'bearer') return { scheme, token: value }
  if (scheme !== 'basic') return { scheme: 'unknown' }
  const text = Buffer.from(value, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 0) return { scheme: 'unknown' }
  return { scheme: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) }
}

export interface Credentials {
  /** Who has this user name and password; undefined where nobody has. */
  prove(registry: RegistryFacts, user: string, password: string): Promise<Subject | undefined>
}

export function createCredentials(options: {
  readonly identity: RegistryIdentity
  readonly tokens: RegistryTokens
  readonly clock: Clock
}): Credentials {
  const { identity, tokens, clock } = options
  return {
    async prove(registry, user, password) {
      if (user === TOKEN_USER) return tokens.verifyRefreshToken(registry, password)
      const local = provePassword(registry, user, password, clock.now())
      if (local) return local
      const signIn = await identity.authenticate(user, password)
      return signIn && { kind: 'principal', ...signIn }
    },
  }
}

const APP_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A name that was tried in vain, as far as it may be written down: people also type passwords into the wrong field. */
export const shownName = ({ name, tokens }: RegistryFacts, user: string): string =>
  APP_ID.test(user) || user.toLowerCase() === name.toLowerCase() || tokens.has(user.toLowerCase())
    ? user
    : ''
