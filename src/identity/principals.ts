import { randomUUID, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Database } from '../storage/database.ts'
import type {
  PrincipalCredentialRow,
  PrincipalRow,
  PrincipalSecretRow,
} from '../storage/principal-tables.ts'
import { createCredentialFinder, isCurrent, toPrincipal } from './credential-finder.ts'
import type { Principal } from './principal.ts'
import { checkPrincipalName, nameKey, PrincipalExists } from './principal-name.ts'
import { hashOf, makeSecret, secretRow } from './secrets.ts'
import { userPrincipalName } from './user-name.ts'

/** A principal together with a secret that is shown this once and kept as a hash only. */
export interface NewSecret {
  readonly principal: Principal
  readonly secret: string
}

/** Who signed in, and by which secret: what the secret obtained ends with it. */
export interface SignIn {
  readonly principal: Principal
  readonly credential: string
}

export interface Principals {
  /** @throws PrincipalExists, InvalidPrincipalName */
  create(displayName: string, kind?: Principal['kind']): Promise<NewSecret>
  authenticate(appId: string, secret: string): Promise<SignIn | undefined>
  /** A person, by the name that they sign in with. */
  authenticateUser(userName: string, password: string): Promise<SignIn | undefined>
  byObjectId(objectId: string): Promise<Principal | undefined>
  byAppId(appId: string): Promise<Principal | undefined>
  byName(displayName: string): Promise<Principal | undefined>
  /** The principal, as long as both it and this credential of it exist. */
  byCredential(credential: string): Promise<Principal | undefined>
  list(): Promise<readonly Principal[]>
  /** Its secrets and the tokens they obtained end with it. */
  delete(objectId: string): Promise<void>
  /** Replaces the principal's own secrets; minted ones stay. Undefined when there is no such principal. */
  resetSecret(objectId: string): Promise<NewSecret | undefined>
  /** A further secret for `owner`, good while it is awake and until `revokeSecrets(owner)`. */
  mintSecret(principal: Principal, owner: string): Promise<string>
  revokeSecrets(owner: string): Promise<void>
  /** Who was meant by what was minted for `owner`; undefined where nothing was, or it does not count. */
  mintedFor(owner: string): Promise<SignIn | undefined>
  mintedOwners(): Promise<readonly string[]>
}

/**
 * Principals in the metadata store; reads go by prepared statements and see what is committed. `isAwake` says whether
 * what a secret was minted for runs: neither the secret nor its tokens are worth anything otherwise.
 */
export function createPrincipals(options: {
  database: Database
  clock: Clock
  isAwake?: (owner: string) => boolean
}): Principals {
  const { clock, isAwake = () => true } = options
  const { kysely, reader } = options.database
  const find = (condition: string) => {
    const statement = reader.prepare(
      `SELECT * FROM principals WHERE is_enrolled = 1 AND ${condition}`,
    )
    return (value: string): Principal | undefined => {
      const row = statement.get(value) as unknown as PrincipalRow | undefined
      return row && toPrincipal(row)
    }
  }
  const byObjectId = find('object_id = ?')
  const byAppId = find('app_id = ?')
  const byNameKey = find('name_key = ?')
  const users = reader.prepare("SELECT * FROM principals WHERE kind = 'User'")
  const secretsOf = reader.prepare('SELECT * FROM principal_secrets WHERE object_id = ?')
  const secretsFor = reader.prepare('SELECT * FROM principal_secrets WHERE owner = ?')
  const byCredential = createCredentialFinder(reader, { clock, isAwake })
  const counts = (credential: Omit<PrincipalCredentialRow, 'id' | 'object_id'>): boolean =>
    isCurrent(credential, clock.now()) && (credential.owner === null || isAwake(credential.owner))

  const findUser = (userName: string): PrincipalRow | undefined =>
    (users.all() as unknown as PrincipalRow[]).find(
      (each) => userPrincipalName(each.name_key) === userName,
    )

  /** Does the same work for nobody as for somebody: the time it takes does not say which. */
  function signInOf(principal: Principal | undefined, secret: string): SignIn | undefined {
    const given = hashOf(secret)
    const rows = secretsOf.all(principal?.objectId ?? '') as unknown as PrincipalSecretRow[]
    const match = rows.find((row) => timingSafeEqual(row.hash, given))
    return principal && match && counts(match) ? { principal, credential: match.id } : undefined
  }

  return {
    async create(displayName, kind = 'ServicePrincipal') {
      checkPrincipalName(displayName)
      const principal = { objectId: randomUUID(), appId: randomUUID(), displayName, kind }
      const secret = makeSecret()
      await kysely.transaction().execute(async (transaction) => {
        // Names that differ may still be one name to sign in with.
        if (kind === 'User' && findUser(userPrincipalName(nameKey(displayName)))) {
          throw new PrincipalExists(displayName)
        }
        const result = await transaction
          .insertInto('principals')
          .values({
            object_id: principal.objectId,
            app_id: principal.appId,
            display_name: displayName,
            name_key: nameKey(displayName),
            kind,
            created_at: clock.now().toISOString(),
            application_id: kind === 'User' ? null : randomUUID(),
            is_enrolled: 1,
          })
          .onConflict((conflict) => conflict.column('name_key').doNothing())
          .executeTakeFirst()
        if (result.numInsertedOrUpdatedRows !== 1n) throw new PrincipalExists(displayName)
        await transaction
          .insertInto('principal_secrets')
          .values(secretRow(principal.objectId, secret, { now: clock.now() }))
          .execute()
      })
      return { principal, secret }
    },

    async authenticate(appId, secret) {
      return signInOf(byAppId(appId.toLowerCase()), secret)
    },

    async authenticateUser(userName, password) {
      const row = findUser(userName.trim().toLowerCase())
      return signInOf(row && toPrincipal(row), password)
    },

    byObjectId: async (objectId) => byObjectId(objectId.toLowerCase()),
    byAppId: async (appId) => byAppId(appId.toLowerCase()),
    byName: async (displayName) => byNameKey(nameKey(displayName)),
    byCredential,

    async list() {
      const rows = await kysely
        .selectFrom('principals')
        .selectAll()
        .where('is_enrolled', '=', 1)
        .orderBy('name_key')
        .execute()
      return rows.map(toPrincipal)
    },

    async delete(objectId) {
      await kysely
        .deleteFrom('principals')
        .where('object_id', '=', objectId.toLowerCase())
        .execute()
    },

    async resetSecret(objectId) {
      const principal = await byObjectId(objectId.toLowerCase())
      if (!principal) return undefined
      const secret = makeSecret()
      await kysely.transaction().execute(async (transaction) => {
        await transaction
          .deleteFrom('principal_secrets')
          .where('object_id', '=', principal.objectId)
          .where('owner', 'is', null)
          .execute()
        await transaction
          .insertInto('principal_secrets')
          .values(secretRow(principal.objectId, secret, { now: clock.now() }))
          .execute()
      })
      return { principal, secret }
    },

    async mintSecret(principal, owner) {
      const secret = makeSecret()
      await kysely
        .insertInto('principal_secrets')
        .values(secretRow(principal.objectId, secret, { now: clock.now(), owner }))
        .execute()
      return secret
    },

    async revokeSecrets(owner) {
      await kysely.deleteFrom('principal_secrets').where('owner', '=', owner).execute()
    },

    async mintedFor(owner) {
      const row = secretsFor.get(owner) as unknown as PrincipalSecretRow | undefined
      const principal = row && counts(row) ? byObjectId(row.object_id) : undefined
      return row && principal && { principal, credential: row.id }
    },

    async mintedOwners() {
      const rows = await kysely
        .selectFrom('principal_secrets')
        .select('owner')
        .distinct()
        .where('owner', 'is not', null)
        .execute()
      return rows.flatMap(({ owner }) => owner ?? [])
    },
  }
}
