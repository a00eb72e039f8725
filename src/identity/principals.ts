import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Database } from '../storage/database.ts'
import type { PrincipalRow, PrincipalSecretRow } from '../storage/principal-tables.ts'
import type { Principal } from './principal.ts'

/** Another principal has this name, in this or another case. */
export class PrincipalExists extends Error {
  override readonly name = 'PrincipalExists'
  constructor(displayName: string) {
    super(`A principal named '${displayName}' already exists.`)
  }
}

export class InvalidPrincipalName extends Error {
  override readonly name = 'InvalidPrincipalName'
  constructor() {
    super(
      'The name of a principal has 1 to 120 characters, none of them a control character, and neither starts nor ends with a blank.',
    )
  }
}

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
  byObjectId(objectId: string): Promise<Principal | undefined>
  byAppId(appId: string): Promise<Principal | undefined>
  byName(displayName: string): Promise<Principal | undefined>
  /** The principal, as long as both it and this credential of it exist. */
  byCredential(credential: string): Promise<Principal | undefined>
  list(): Promise<readonly Principal[]>
  /** Its secrets and the tokens they obtained end with it. */
  delete(objectId: string): Promise<void>
  /** A further secret for `owner`, good while it is awake and until `revokeSecrets(owner)`. */
  mintSecret(principal: Principal, owner: string): Promise<string>
  revokeSecrets(owner: string): Promise<void>
}

const DISPLAY_NAME = /^(?!\s)[^\p{Cc}]{1,120}(?<!\s)$/u

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
    const statement = reader.prepare(`SELECT * FROM principals WHERE ${condition}`)
    return async (value: string): Promise<Principal | undefined> => {
      const row = statement.get(value) as unknown as PrincipalRow | undefined
      return row && toPrincipal(row)
    }
  }
  const byObjectId = find('object_id = ?')
  const byAppId = find('app_id = ?')
  const byNameKey = find('name_key = ?')
  const secretsOf = reader.prepare(
    'SELECT id, hash, owner FROM principal_secrets WHERE object_id = ?',
  )
  const secretById = reader.prepare('SELECT object_id, owner FROM principal_secrets WHERE id = ?')
  const counts = ({ owner }: Pick<PrincipalSecretRow, 'owner'>): boolean =>
    owner === null || isAwake(owner)

  const secretRow = (objectId: string, secret: string, owner: string | null) => ({
    id: randomUUID(),
    object_id: objectId,
    hash: hashOf(secret),
    owner,
    created_at: clock.now().toISOString(),
  })

  return {
    async create(displayName, kind = 'ServicePrincipal') {
      if (!DISPLAY_NAME.test(displayName)) throw new InvalidPrincipalName()
      const principal = { objectId: randomUUID(), appId: randomUUID(), displayName, kind }
      const secret = makeSecret()
      await kysely.transaction().execute(async (transaction) => {
        const result = await transaction
          .insertInto('principals')
          .values({
            object_id: principal.objectId,
            app_id: principal.appId,
            display_name: displayName,
            name_key: nameKey(displayName),
            kind,
            created_at: clock.now().toISOString(),
          })
          .onConflict((conflict) => conflict.column('name_key').doNothing())
          .executeTakeFirst()
        if (result.numInsertedOrUpdatedRows !== 1n) throw new PrincipalExists(displayName)
        await transaction
          .insertInto('principal_secrets')
          .values(secretRow(principal.objectId, secret, null))
          .execute()
      })
      return { principal, secret }
    },

    async authenticate(appId, secret) {
      const principal = await byAppId(appId.toLowerCase())
      if (!principal) return undefined
      const given = hashOf(secret)
      const rows = secretsOf.all(principal.objectId) as unknown as Pick<
        PrincipalSecretRow,
        'id' | 'hash' | 'owner'
      >[]
      const match = rows.find((row) => timingSafeEqual(row.hash, given))
      return match && counts(match) ? { principal, credential: match.id } : undefined
    },

    byObjectId: (objectId) => byObjectId(objectId.toLowerCase()),
    byAppId: (appId) => byAppId(appId.toLowerCase()),
    byName: (displayName) => byNameKey(nameKey(displayName)),
    async byCredential(credential) {
      const row = secretById.get(credential) as unknown as PrincipalSecretRow | undefined
      return row && counts(row) ? byObjectId(row.object_id) : undefined
    },

    async list() {
      const rows = await kysely.selectFrom('principals').selectAll().orderBy('name_key').execute()
      return rows.map(toPrincipal)
    },

    async delete(objectId) {
      await kysely
        .deleteFrom('principals')
        .where('object_id', '=', objectId.toLowerCase())
        .execute()
    },

    async mintSecret(principal, owner) {
      const secret = makeSecret()
      await kysely
        .insertInto('principal_secrets')
        .values(secretRow(principal.objectId, secret, owner))
        .execute()
      return secret
    },

    async revokeSecrets(owner) {
      await kysely.deleteFrom('principal_secrets').where('owner', '=', owner).execute()
    },
  }
}

// The prefix keeps a secret from starting with a dash, which command lines would take for an option.
const makeSecret = (): string => `cws_${randomBytes(32).toString('base64url')}`

// Secrets are 256 random bits, never chosen by people: there is nothing to guess, so a slow hash would add nothing.
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

const nameKey = (displayName: string): string => displayName.toLowerCase()

const toPrincipal = (row: PrincipalRow): Principal => ({
  objectId: row.object_id,
  appId: row.app_id,
  displayName: row.display_name,
  kind: row.kind,
})
