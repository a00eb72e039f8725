import { createHash, randomBytes } from 'node:crypto'
import { invalidProperty } from '../../arm/arm-error.ts'
import { readOnly } from '../../arm/marks.ts'
import { type Static, Type } from '../../lib/schema.ts'

export const TOKEN_PASSWORD_NAMES = ['password1', 'password2'] as const

export type TokenPasswordName = (typeof TOKEN_PASSWORD_NAMES)[number]

/** A password as it is kept: enough to recognise it, not enough to show it. Times are ISO 8601 in UTC. */
export const keptPassword = Type.Object({
  name: Type.Enum(TOKEN_PASSWORD_NAMES),
  creationTime: Type.String(),
  expiry: Type.Optional(Type.String()),
  /** SHA-256 in hexadecimal. */
  hash: Type.String(),
})

export type KeptPassword = Static<typeof keptPassword>

/** What a client says of a token's credentials: which passwords stay. */
export const credentialsInput = Type.Object(
  {
    // Parsed to be refused where there are any.
    certificates: Type.Optional(Type.Array(Type.Unknown())),
    passwords: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.Enum(TOKEN_PASSWORD_NAMES),
          expiry: Type.Optional(Type.String()),
          creationTime: Type.Optional(readOnly(Type.String())),
          value: Type.Optional(readOnly(Type.String())),
        }),
      ),
    ),
  },
  { default: {} },
)

type CredentialsInput = Static<typeof credentialsInput>

/**
 * The passwords that stay: all, unless the client names those that it keeps (which is how they are deleted).
 *
 * @throws ArmError 400 for certificates, for a password that is not there, and for another time of expiry.
 */
export function passwordsThatStay(
  { certificates = [], passwords }: CredentialsInput,
  kept: readonly KeptPassword[],
): KeptPassword[] {
  if (certificates.length > 0) {
    throw invalidProperty(
      'properties.credentials.certificates',
      'certificates are not available here; tokens sign in with passwords.',
    )
  }
  if (!passwords) return [...kept]
  for (const { name, expiry } of passwords) {
    const known = kept.find((each) => each.name === name)
    if (!known) throw invalidPasswords(`there is no ${name}; generateCredentials makes it.`)
    if (expiry !== undefined && !isSameTime(expiry, known.expiry)) {
      throw invalidPasswords(`the expiry of ${name} is set when generateCredentials makes it.`)
    }
  }
  return kept.filter((each) => passwords.some(({ name }) => name === each.name))
}

const invalidPasswords = (reason: string) =>
  invalidProperty('properties.credentials.passwords', reason)

const isSameTime = (one: string, other: string | undefined): boolean =>
  other !== undefined && Date.parse(one) === Date.parse(other)

/** A fresh password, which nobody can show again, and what is kept of it. */
export function makePassword(
  name: TokenPasswordName,
  { now, expiry }: { readonly now: Date; readonly expiry: Date | undefined },
): { readonly kept: KeptPassword; readonly value: string } {
  // 39 bytes are 52 characters of base64 without padding, as the admin user's are.
  const value = randomBytes(39).toString('base64')
  const kept = {
    name,
    creationTime: now.toISOString(),
    ...(expiry && { expiry: expiry.toISOString() }),
    // 312 random bits: there is nothing to guess, so a slow hash would add nothing.
    hash: createHash('sha256').update(value).digest('hex'),
  }
  return { kept, value }
}

/** A password as clients see it. */
export const showPassword = ({ name, creationTime, expiry }: KeptPassword) => ({
  creationTime,
  ...(expiry !== undefined && { expiry }),
  name,
})
