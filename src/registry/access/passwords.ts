import { createHash, timingSafeEqual } from 'node:crypto'
import type { RegistryFacts, TokenFacts } from '../registry-directory.ts'
import type { LocalSubject } from './grants.ts'

interface Account {
  readonly username: string
  readonly passwords: TokenFacts['passwords']
}

const KINDS = ['admin', 'token'] as const

/**
 * The admin user or the token that has this name and password; undefined where none has. Both are asked: a token may
 * bear the registry's name.
 */
export function provePassword(
  registry: RegistryFacts,
  username: string,
  password: string,
  now: Date,
): LocalSubject | undefined {
  const hash = sha256(password)
  for (const kind of KINDS) {
    const account = accountOf(registry, kind, username)
    // Every password is compared, so that the time does not say which of them it was.
    const [proof] = (account?.passwords ?? []).filter(
      (known) => known.hash.length === hash.length && timingSafeEqual(known.hash, hash),
    )
    if (!account || !proof || hasExpired(proof, now)) continue
    return { kind, username: account.username, credential: fingerprintOf(proof.hash) }
  }
  return undefined
}

/** Whether the password that proved it is still there and good, and its user still there and enabled. */
export function isStillProven(registry: RegistryFacts, subject: LocalSubject, now: Date): boolean {
  const account = accountOf(registry, subject.kind, subject.username)
  const proof = account?.passwords.find((each) => fingerprintOf(each.hash) === subject.credential)
  return proof !== undefined && !hasExpired(proof, now)
}

function accountOf(
  { admin, tokens }: RegistryFacts,
  kind: LocalSubject['kind'],
  username: string,
): Account | undefined {
  if (kind === 'admin') {
    if (admin?.username.toLowerCase() !== username.toLowerCase()) return undefined
    return {
      username: admin.username,
      passwords: admin.passwordHashes.map((hash) => ({ hash })),
    }
  }
  const token = tokens.get(username.toLowerCase())
  return token?.isEnabled ? { username: token.name, passwords: token.passwords } : undefined
}

const hasExpired = ({ expiresAt }: TokenFacts['passwords'][number], now: Date): boolean =>
  expiresAt !== undefined && expiresAt <= now.getTime()

// What is written into access tokens, which their holders can read, is not the hash itself.
const fingerprintOf = (hash: Uint8Array): string =>
  sha256(hash).subarray(0, FINGERPRINT_BYTES).toString('base64url')

const FINGERPRINT_BYTES = 12

const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()
