import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../lib/clock.ts'
import { createCommittedCache } from '../storage/committed-cache.ts'
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
  const cache = createCommittedCache(reader)

  function find(credential: string) {
    const row = credentialById.get(credential) as unknown as PrincipalCredentialRow | undefined
    const owner = row && (principalById.get(row.object_id) as unknown as PrincipalRow | undefined)
    return row && owner && { row, principal: toPrincipal(owner) }
  }

  return async (credential) => {
    // Asked with every request to a registry.
    const found = cache.get(`credential ${credential}`, () => find(credential))
    if (!found || !isCurrent(found.row, clock.now())) return undefined
    const { owner } = found.row
    return owner === null || (await isAwake(owner)) ? found.principal : undefined
  }
}

/** Whether a credential has begun to count and not ended. */
export function isCurrent(
  { starts_at: start, expires_at: end }: Pick<PrincipalCredentialRow, 'starts_at' | 'expires_at'>,
  at: Date,
): boolean {
  if (start === null && end === null) return true
  const now = at.toISOString()
  return (start === null || now >= start) && (end === null || now < end)
}

export const toPrincipal = (row: PrincipalRow): Principal => ({
  objectId: row.object_id,
  appId: row.app_id,
  displayName: row.display_name,
  kind: row.kind,
})
