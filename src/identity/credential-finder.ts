import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../lib/clock.ts'
import type { PrincipalCredentialRow, PrincipalRow } from '../storage/principal-tables.ts'
import type { Principal } from './principal.ts'

/** The principal, as long as both it and this credential of it exist. */
export type CredentialFinder = (credential: string) => Promise<Principal | undefined>

/**
 * Finds who stands behind a credential, by what is committed. `isAwake` says whether what a credential was minted for
 * runs; it is asked for no other.
 */
export function createCredentialFinder(
  reader: DatabaseSync,
  options: {
    readonly clock: Clock
    readonly isAwake: (owner: string) => boolean | Promise<boolean>
  },
): CredentialFinder {
  const { clock, isAwake } = options
  const credentialById = reader.prepare('SELECT * FROM principal_credentials WHERE id = ?')
  const principalById = reader.prepare(
    'SELECT * FROM principals WHERE is_enrolled = 1 AND object_id = ?',
  )
  return async (credential) => {
    const found = credentialById.get(credential) as unknown as PrincipalCredentialRow | undefined
    if (!found || !isCurrent(found, clock.now())) return undefined
    if (found.owner !== null && !(await isAwake(found.owner))) return undefined
    const row = principalById.get(found.object_id) as unknown as PrincipalRow | undefined
    return row && toPrincipal(row)
  }
}

/** Whether a credential has begun to count and not ended. */
export function isCurrent(
  { starts_at: start, expires_at: end }: Pick<PrincipalCredentialRow, 'starts_at' | 'expires_at'>,
  at: Date,
): boolean {
  const now = at.toISOString()
  return (start === null || now >= start) && (end === null || now < end)
}

export const toPrincipal = (row: PrincipalRow): Principal => ({
  objectId: row.object_id,
  appId: row.app_id,
  displayName: row.display_name,
  kind: row.kind,
})
