import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { PrincipalSecretRow } from '../storage/principal-tables.ts'

// The prefix keeps a secret from starting with a dash, which command lines would take for an option.
export const makeSecret = (): string => `cws_${randomBytes(32).toString('base64url')}`

// Secrets are 256 random bits, never chosen by people: there is nothing to guess, so a slow hash would add nothing.
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** What is kept of a secret: enough to recognise it, not enough to show it. */
export const secretRow = (
  objectId: string,
  secret: string,
  options: {
    readonly now: Date
    readonly owner?: string
    readonly displayName?: string | undefined
    readonly startsAt?: string
    readonly expiresAt?: string
  },
): PrincipalSecretRow => ({
  id: randomUUID(),
  object_id: objectId,
  hash: hashOf(secret),
  owner: options.owner ?? null,
  created_at: options.now.toISOString(),
  display_name: options.displayName ?? null,
  hint: secret.slice(0, HINT_CHARACTERS),
  starts_at: options.startsAt ?? null,
  expires_at: options.expiresAt ?? null,
})

// The prefix, which all have, and three more.
const HINT_CHARACTERS = 7
